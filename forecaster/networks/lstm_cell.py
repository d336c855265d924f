"""One step of the long short-term memory: its equations, written once."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

# Keras has no public name for it, and `keras.layers.RNN` draws one mask per sequence for its subclasses only.
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell

from forecaster.networks.lstm_weights import check, gate_blocks, peephole_gates, seeded

__all__ = ["Activity", "LSTMCell"]

Tensor = Any

EPSILON = 1e-5
"""Added to a variance before its root is taken, in layer normalisation."""


class Activity(NamedTuple):
    """What one step computed, each of shape (batch, units); a cell without a forget gate has None there."""

    input: Tensor
    forget: Tensor | None
    candidate: Tensor
    output: Tensor
    cell: Tensor
    hidden: Tensor


@keras.saving.register_keras_serializable(package="forecaster")
class LSTMCell(keras.layers.Layer, DropoutRNNCell):
    """One step of a long short-term memory: gates keep, fill and show a cell state.

    With x the input at this step, h and c the hidden and the cell state, t-1 the step before::

        z_i, z_f, z_g, z_o = split(x W + h[t-1] U + b)    the order of the blocks in W, U and b
        f = σ(z_f)                                        forget gate: how much of the old cell state stays
        i = σ(z_i)                                        input gate: how much of the candidate comes in
        g = tanh(z_g)                                     candidate
        c = f ⊙ c[t-1] + i ⊙ g                            cell state, the long-term memory
        o = σ(z_o)                                        output gate: how much of the cell state shows
        h = o ⊙ tanh(c)                                   hidden state, short-term memory: the output

    Shapes: x (batch, features); h, c and every gate (batch, units); W `kernel` (features, 4 units);
    U `recurrent_kernel` (units, 4 units); b `bias` (4 units,). They and their order are as in
    `keras.layers.LSTM`, so weights are handed over as they are; `lstm_weights` has PyTorch's layout. `LSTM`
    lists the names that other texts give the gates.

    Variants; they combine freely unless an error says otherwise:

    - `forget_gate=False`, the original [1], forgets nothing: c = c[t-1] + i ⊙ g; blocks i, g, o. (It squashed
      by rescaled logistic functions, here tanh.) The forget gate came with [2].
    - `coupled`: what comes in replaces what is forgotten [4]: i = 1 - f; blocks f, g, o.
    - `peephole`: gates see the cell state through one weight p per unit [3]: f = σ(z_f + p_f ⊙ c[t-1]),
      i = σ(z_i + p_i ⊙ c[t-1]), and o = σ(z_o + p_o ⊙ c) with the new c. `peephole_kernel` has shape
      (peepholes, units), rows in the order input, forget, output.
    - `layer_norm`, equations 20 to 22 of the supplement of [5], with one b for the two offsets of z:
      z = α_x ⊙ n(x W) + α_h ⊙ n(h[t-1] U) + b, normalised over all blocks together, and
      h = o ⊙ tanh(α_c ⊙ n(c) + β_c), with n(v) = (v - mean v) / √(var v + 1e-5). Peepholes see c as it is.
      `input_gain` α_x and `recurrent_gain` α_h are shaped as b; `cell_gain` α_c, `cell_offset` β_c (units,).
    - `dropout`, `recurrent_dropout`: x and h[t-1] times masks that are drawn once per sequence and that all
      gates share [6]. (keras.layers.LSTM draws a mask for each gate when `recurrent_dropout` is set.)

    Args:
        units: Width of the two states.
        activation: Of candidate and shown cell state; anything that `keras.activations.get` knows.
        recurrent_activation: Of the gates.
        use_bias: Whether there is a b, and with `layer_norm` a β_c.
        kernel_initializer: Of W.
        recurrent_initializer: Of U.
        bias_initializer: Of b.
        peephole_initializer: Of p. Zeros begin as the cell without peepholes.
        unit_forget_bias: Begin with ones in the forget gate's part of b, if any: remember first [2, 7].
        forget_gate: Whether there is one.
        coupled: Whether i = 1 - f.
        peephole: True for all gates that have a block of their own, or some of "input", "forget", "output".
        layer_norm: Whether sums and cell state are normalised.
        dropout: Share of the inputs dropped in training.
        recurrent_dropout: Share of the hidden state dropped in training.
        seed: Of the masks and of every initializer that has none of its own; with None Keras draws seeds.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Raises:
        DefinitionError: An option is out of range, or options exclude each other.

    Sources: [1] Hochreiter & Schmidhuber 1997, Long short-term memory. [2] Gers, Schmidhuber & Cummins 2000,
    Learning to forget. [3] Gers & Schmidhuber 2000, Recurrent nets that time and count. [4] Greff et al.
    2017, LSTM: a search space odyssey. [5] Ba, Kiros & Hinton 2016, Layer normalization. [6] Gal & Ghahramani
    2016, A theoretically grounded application of dropout in RNNs. [7] Jozefowicz, Zaremba & Sutskever 2015,
    An empirical exploration of recurrent network architectures.

    Example:
        >>> cell = LSTMCell(8, peephole=["output"], coupled=True, seed=1)
        >>> tuple(keras.layers.RNN(cell)(np.zeros((2, 5, 3), "float32")).shape)
        (2, 8)
        >>> cell.blocks, [tuple(weight.shape) for weight in cell.weights]
        (('forget', 'candidate', 'output'), [(3, 24), (8, 24), (24,), (1, 8)])
    """

    def __init__(
        self,
        units: int,
        *,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        peephole_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        forget_gate: bool = True,
        coupled: bool = False,
        peephole: bool | Iterable[str] = False,
        layer_norm: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check(units=units, dropout=dropout, recurrent_dropout=recurrent_dropout, seed=seed)
        self.units = self.output_size = units
        self.state_size = [units, units]
        self.activation = keras.activations.get(activation)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.use_bias, self.unit_forget_bias = use_bias, unit_forget_bias
        self.kernel_initializer = seeded(kernel_initializer, seed, 0)
        self.recurrent_initializer = seeded(recurrent_initializer, seed, 1)
        self.bias_initializer = seeded(bias_initializer, seed, 2)
        self.peephole_initializer = seeded(peephole_initializer, seed, 3)
        self.forget_gate, self.coupled, self.layer_norm = forget_gate, coupled, layer_norm
        self.blocks = gate_blocks(forget_gate, coupled)
        self.peephole = peephole_gates(peephole, self.blocks)
        self.dropout, self.recurrent_dropout, self.seed = dropout, recurrent_dropout, seed
        if dropout or recurrent_dropout:
            self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the weights for inputs of shape (batch, features); those that a variant lacks are None."""
        units, width, peepholes = self.units, len(self.blocks) * self.units, len(self.peephole)
        weight, norm = self._weight, self.layer_norm
        self.kernel = weight("kernel", (input_shape[-1], width), self.kernel_initializer)
        self.recurrent_kernel = weight("recurrent_kernel", (units, width), self.recurrent_initializer)
        self.bias = weight("bias", (width,), self._initial_bias, self.use_bias)
        self.peephole_kernel = weight("peephole_kernel", (peepholes, units), self.peephole_initializer, peepholes > 0)
        self.input_gain = weight("input_gain", (width,), "ones", norm)
        self.recurrent_gain = weight("recurrent_gain", (width,), "ones", norm)
        self.cell_gain = weight("cell_gain", (units,), "ones", norm)
        self.cell_offset = weight("cell_offset", (units,), "zeros", norm and self.use_bias)
        super().build(input_shape)

    def _weight(self, name: str, shape: Sequence[int | None], initializer: Any, has: bool = True) -> Tensor:
        return self.add_weight(shape=shape, initializer=initializer, name=name) if has else None

    def _initial_bias(self, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        bias = self.bias_initializer(shape, dtype=dtype)
        if not self.unit_forget_bias:
            return bias
        in_forget_gate = np.repeat([block == "forget" for block in self.blocks], self.units)
        return ops.where(in_forget_gate, ops.ones_like(bias), bias)

    def joined_kernel(self) -> Tensor | None:
        """[W; U], which makes a step one product, [x, h] [W; U]; None with `layer_norm`, which needs two."""
        return None if self.layer_norm else ops.concatenate([self.kernel, self.recurrent_kernel], axis=0)

    def sums(self, inputs: Tensor, hidden: Tensor, joined: Tensor | None) -> Tensor:
        """All z of a step, (batch, blocks × units), from x (batch, features) and h[t-1] (batch, units)."""
        if joined is None:
            z = _normalised(ops.matmul(inputs, self.kernel), self.input_gain)
            z = z + _normalised(ops.matmul(hidden, self.recurrent_kernel), self.recurrent_gain)
        else:
            z = ops.matmul(ops.concatenate([inputs, hidden], axis=-1), joined)
        return z if self.bias is None else z + self.bias

    def activity(self, sums: Tensor, cell: Tensor) -> Activity:
        """The gates and the new states, from what `sums` returned and c[t-1] (batch, units)."""
        z = dict(zip(self.blocks, ops.split(sums, len(self.blocks), axis=-1), strict=True))
        f: Tensor = self._gate("forget", z, cell) if self.forget_gate else None
        i = 1 - f if self.coupled else self._gate("input", z, cell)
        g = self.activation(z["candidate"])
        c = (cell if f is None else f * cell) + i * g
        o = self._gate("output", z, c)
        h = o * self.activation(_normalised(c, self.cell_gain, self.cell_offset))
        return Activity(i, f, g, o, c, h)

    def _gate(self, name: str, z: dict[str, Tensor], cell: Tensor) -> Tensor:
        """σ(z), or σ(z + p ⊙ c) where this gate has a peephole."""
        if name not in self.peephole:
            return self.recurrent_activation(z[name])
        return self.recurrent_activation(z[name] + self.peephole_kernel[self.peephole.index(name)] * cell)

    def step(self, inputs: Tensor, states: Sequence[Tensor], joined: Tensor, mask: Tensor) -> Activity:
        """One step, for `call` and for every loop.

        Args:
            inputs: x (batch, features), dropout applied.
            states: h and c of the step before, (batch, units) each.
            joined: What `joined_kernel()` returned; a loop asks once per sequence.
            mask: What h is multiplied by, (batch, units), or None.
        """
        h, c = states
        h = h if mask is None else h * mask
        return self.activity(self.sums(inputs, h, joined), c)

    def masks(self, inputs: Tensor, hidden: Tensor, training: bool | None) -> tuple[Tensor | None, Tensor | None]:
        """What x and h are multiplied by (or None), kept until `RNN` resets it after the sequence."""
        if not training:
            return None, None
        return self.get_dropout_mask(inputs), self.get_recurrent_dropout_mask(hidden)

    def call(
        self, inputs: Tensor, states: Sequence[Tensor], training: bool | None = False
    ) -> tuple[Tensor, list[Tensor]]:
        """One step from x (batch, features); returns h and the new states [h, c]."""
        input_mask, recurrent_mask = self.masks(inputs, states[0], training)
        inputs = inputs if input_mask is None else inputs * input_mask
        new = self.step(inputs, states, self.joined_kernel(), recurrent_mask)
        return new.hidden, [new.hidden, new.cell]

    def get_initial_state(self, batch_size: Any = None) -> list[Tensor]:
        """Zeros for h and c, of shape (batch_size, units) each."""
        return [ops.zeros((batch_size, self.units), dtype=self.compute_dtype) for _ in self.state_size]

    def get_config(self) -> dict[str, Any]:
        """All that is needed to make this cell again."""
        plain = ["units", "use_bias", "unit_forget_bias", "forget_gate", "coupled", "layer_norm"]
        plain += ["dropout", "recurrent_dropout", "seed"]
        activations = ["activation", "recurrent_activation"]
        initializers = [f"{name}_initializer" for name in ("kernel", "recurrent", "bias", "peephole")]
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in plain},
            "peephole": list(self.peephole),
            **{name: keras.activations.serialize(getattr(self, name)) for name in activations},
            **{name: keras.initializers.serialize(getattr(self, name)) for name in initializers},
        }


def _normalised(x: Tensor, gain: Tensor | None, offset: Tensor | None = None) -> Tensor:
    """`gain ⊙ n(x) + offset`; without a gain, x as it is."""
    return x if gain is None else ops.layer_normalization(x, gain, offset, epsilon=EPSILON)
