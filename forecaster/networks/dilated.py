"""Dilated recurrence: a layer whose steps join states that lie some steps apart."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["Dilated"]


@keras.saving.register_keras_serializable(package="forecaster")
class Dilated(keras.layers.Wrapper):
    """Runs a recurrent layer with the state of d steps ago, h[t] = cell(x[t], h[t−d]), and may add x to that.

    A stack with growing d sees far back over few steps (Chang et al. 2017, Dilated recurrent neural networks; the
    stacks of Smyl 2020, A hybrid method of exponential smoothing and recurrent neural networks, have d = 1, 2, 4 …
    and residual connections). The d interleaved sequences are run as so many rows of one batch, so a layer takes a
    d-th of the steps. A sequence whose length is no multiple of d is padded in front with zeros.

    Args:
        layer: A recurrent layer; its `return_sequences` says what comes out.
        dilation: d, in steps of the sequence.
        residual: Add the input to the output; both must have one width.

    Call arguments:
        sequences: Shape (batch, steps, features).

    Returns:
        (batch, steps, units), or the last of them, (batch, units).
    """

    def __init__(self, layer: keras.layers.Layer, dilation: int = 1, residual: bool = False, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.dilation, self.residual = dilation, residual

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the layer's weights."""
        batch, steps, features = input_shape
        self.layer.build((batch, None if steps is None else -(-steps // self.dilation), features))
        super().build(input_shape)

    def call(self, sequences: Any, training: bool | None = None) -> Any:
        """See the class."""
        d, steps = self.dilation, sequences.shape[1]
        padded = ops.pad(sequences, [[0, 0], [-steps % d, 0], [0, 0]]) if steps % d else sequences
        length = padded.shape[1] // d
        rows = ops.reshape(padded, (-1, length, d, sequences.shape[2]))
        if not self.layer.return_sequences:  # the last step's own row is all that is asked for
            last = self.layer(rows[:, :, d - 1], training=training)
            return last + sequences[:, -1] if self.residual else last
        rows = ops.reshape(ops.transpose(rows, (0, 2, 1, 3)), (-1, length, sequences.shape[2]))
        units = self.layer.units
        out = ops.reshape(self.layer(rows, training=training), (-1, d, length, units))
        out = ops.reshape(ops.transpose(out, (0, 2, 1, 3)), (-1, d * length, units))[:, -steps:]
        return out + sequences if self.residual else out

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """As the layer's."""
        batch, steps, _ = input_shape
        units = self.layer.units
        return (batch, steps, units) if self.layer.return_sequences else (batch, units)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer, the one inside included."""
        return {**super().get_config(), "dilation": self.dilation, "residual": self.residual}
