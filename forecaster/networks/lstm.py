"""The long short-term memory over a whole sequence."""

import inspect
from typing import Any

import keras
from keras import ops

# The loop under all recurrent layers of Keras, on every backend; it has no public name.
from keras.src.backend import rnn

from forecaster.errors import DefinitionError
from forecaster.networks.lstm_cell import LSTMCell

__all__ = ["LSTM"]

Tensor = Any

CELL_OPTIONS = tuple(
    name
    for name, parameter in inspect.signature(LSTMCell.__init__).parameters.items()
    if parameter.kind is parameter.KEYWORD_ONLY
)
IMPLEMENTATIONS = ("auto", "loop", "fused")


@keras.saving.register_keras_serializable(package="forecaster")
class LSTM(keras.layers.RNN):
    """A long short-term memory that reads a sequence: `LSTMCell` has equations and variants, this layer time.

    It behaves as `keras.layers.LSTM` does: masks (a masked step keeps the state and repeats the output),
    `initial_state`, `stateful` with `reset_state()`, `Bidirectional`, mixed precision, saving, exporting.

    What the parts of the cell are called elsewhere, beside the letters of its equations:

    =========  ==========================  ===============================  ==================
    letter     usual name                  in teaching texts                in diagrams
    =========  ==========================  ===============================  ==================
    f          forget gate                 forget gate; forgetting          forget valve
    i and g    input gate and candidate    learn gate; ignoring and         memory valve and
                                           prediction                       new memory
    c          cell state                  remember gate (the sum);         memory pipe
                                           long-term memory
    o          output gate                 use gate; selection              output valve
    h          hidden state, output        short-term memory                output
    =========  ==========================  ===============================  ==================

    (Forget, learn, remember, use: Udacity's course on deep learning. Forgetting, ignoring, selection:
    B. Rohrer, How recurrent neural networks and LSTM work. Valves: S. Yan, Understanding LSTM and its
    diagrams.)

    Args:
        units: Width of the two states.
        return_sequences: Return the output of every step, not of the last only.
        return_state: Return the last h and c, too.
        go_backwards: Read from the end, and return the outputs in that order.
        stateful: Begin a batch with the states in which the one before ended.
        unroll: Write the loop out; for short sequences of fixed length.
        zero_output_for_mask: With `return_sequences`, return zeros at masked steps.
        implementation: "loop": step after step, in `keras.ops`. "fused": by TensorFlow's kernel for a whole sequence,
            `lstm_fused`, up to three times as quick on a CPU; it has peepholes and dropout of inputs, without peepholes
            and above 64 units recurrent dropout in training, but no other variant, mask, XLA or second derivative.
            "auto": "fused" where that can be.
        **options: Options of `LSTMCell` (`peephole`, `coupled`, `forget_gate`, `layer_norm`, `dropout`,
            `seed`, …) and of `keras.layers.Layer` (`name`, `dtype`, `trainable`, `activity_regularizer`).

    Call arguments: `sequences` (batch, time, features), `initial_state` [h, c] of (batch, units) each, `mask`
    (batch, time) with False at steps to skip, `training`.

    Returns:
        (batch, units), or (batch, time, units) with `return_sequences`; with `return_state` a tuple of that,
        h and c, (batch, units) each.

    Raises:
        DefinitionError: An option is out of range, or options exclude each other.

    Example:
        >>> layer = LSTM(8, peephole=True, return_state=True, seed=1)
        >>> [tuple(array.shape) for array in layer(keras.ops.zeros((2, 5, 3)))]
        [(2, 8), (2, 8), (2, 8)]
    """

    def __init__(
        self,
        units: int,
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        implementation: str = "auto",
        **options: Any,
    ) -> None:
        if implementation not in IMPLEMENTATIONS:
            raise DefinitionError(
                f"Argument `implementation` is expected to be one of {', '.join(IMPLEMENTATIONS)}. "
                f"Received: {implementation!r}"
            )
        of_cell = {name: options.pop(name) for name in CELL_OPTIONS if name in options}
        shared = {name: options[name] for name in ("dtype", "trainable") if name in options}
        super().__init__(
            LSTMCell(units, name="lstm_cell", **of_cell, **shared),
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            zero_output_for_mask=zero_output_for_mask,
            **options,
        )
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self.implementation = implementation

    @property
    def units(self) -> int:
        """Width of the two states."""
        return int(self.cell.units)

    def inner_loop(
        self, sequences: Tensor, initial_state: list[Tensor], mask: Tensor | None, training: bool = False
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Step through time; `RNN.call` does the rest. What every step shares is made once, before the loop.

        Args:
            sequences: (batch, time, features).
            initial_state: h and c, (batch, units) each.
            mask: (batch, time), False at steps to skip.
            training: Whether dropout masks apply.

        Returns:
            The last output (batch, units), all outputs (batch, time, units), and the last states [h, c].
        """
        input_mask, recurrent_mask = self.cell.masks(sequences[:, 0], initial_state[0], training)
        if input_mask is not None:
            sequences = sequences * ops.expand_dims(input_mask, axis=1)
        if self._fused(mask, recurrent_mask):
            from forecaster.networks.lstm_fused import run

            return run(self.cell, sequences, initial_state, recurrent_mask, self.go_backwards, self.return_sequences)
        return self._loop(sequences, initial_state, mask, recurrent_mask)

    def _fused(self, mask: Tensor, recurrent_mask: Tensor) -> bool:
        """Whether TensorFlow's kernel reads the sequence.

        Raises:
            DefinitionError: It was asked for, and cannot.
        """
        if self.implementation == "loop":
            return False
        if keras.backend.backend() == "tensorflow":
            from forecaster.networks.lstm_fused import obstacle

            reason = obstacle(self.cell, mask, recurrent_mask, self.unroll)
        else:
            reason = f"backend {keras.backend.backend()}"
        if reason and self.implementation == "fused":
            raise DefinitionError(
                f"implementation='fused' cannot be had with {reason}. Write implementation='auto', which takes "
                "the loop there."
            )
        return reason is None

    def _loop(
        self, sequences: Tensor, initial_state: list[Tensor], mask: Tensor, recurrent_mask: Tensor
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Step after step, on every backend and for every variant; arguments and results as of `inner_loop`."""
        joined = self.cell.joined_kernel()

        def step(inputs: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
            new = self.cell.step(inputs, states, joined, recurrent_mask)
            return new.hidden, [new.hidden, new.cell]

        last_output, outputs, states = rnn(
            step,
            sequences,
            initial_state,
            go_backwards=self.go_backwards,
            mask=mask,
            unroll=self.unroll,
            input_length=sequences.shape[1],
            zero_output_for_mask=self.zero_output_for_mask,
            return_all_outputs=self.return_sequences,
        )
        return last_output, outputs, states

    def _maybe_config_dropout_masks(self, *_: Any) -> None:
        """Leave the masks to `inner_loop`: `RNN` would draw them, and move the seed on, in inference, too."""

    def get_config(self) -> dict[str, Any]:
        """All that is needed to make this layer again: the cell's options beside the layer's own."""
        config = {**self.cell.get_config(), **super().get_config(), "implementation": self.implementation}
        del config["cell"]
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LSTM":
        """The layer that `get_config` described."""
        return cls(**config)
