"""A decoder: it goes through the horizon step by step and reads its own last median, or the true value in training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
from keras import ops

__all__ = ["Decoder", "FeedForwardCell", "FeedbackCell"]

Tensor = Any


@keras.saving.register_keras_serializable(package="forecaster")
class FeedForwardCell(keras.layers.Layer):
    """One hidden layer without memory, h = tanh(x W + b), as a cell: x (batch, features) to h (batch, units).

    Args:
        units: Width of h.
        seed: Of the initial weights.
        dropout: Share of h dropped in training, anew in every step.
    """

    state_size: tuple[int, ...] = ()

    def __init__(self, units: int, seed: int | None = None, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = self.output_size = units
        self.seed, self.dropout = seed, dropout
        self.drop = keras.layers.Dropout(dropout, seed=seed) if dropout else None
        start = keras.initializers.GlorotUniform(seed=seed)
        self.dense = keras.layers.Dense(units, "tanh", kernel_initializer=start)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes W and b."""
        self.dense.build(input_shape)

    def call(self, inputs: Tensor, states: Sequence[Tensor], training: bool | None = None) -> tuple[Tensor, list[Any]]:
        """h, and no states."""
        hidden = self.dense(inputs)
        return (hidden if self.drop is None else self.drop(hidden, training=training)), []

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the cell."""
        return {**super().get_config(), "units": self.units, "seed": self.seed, "dropout": self.dropout}


@keras.saving.register_keras_serializable(package="forecaster")
class FeedbackCell(keras.layers.Layer):
    """One step of a decoder.

    In the units of the window's frame, with y the median and b the naive base::

        v = true value of step k−1 where it is given, else y[k−1]
        h = cells([v, v − b[k−1], b[k], what is known of step k])
        a = h V + bias[k]                     free numbers of all quantiles; see `heads.Quantiles`
        y[k] = b[k] + a[median]

    Args:
        cells: One or more, each reads what the one before says.
        quantiles: How many.

    Call arguments: `inputs`, the columns true value (0 where none is given), 1 or 0 whether it is given, b[k−1],
    b[k], bias[k] of every quantile, what is known of step k; `states`, y[k−1] (batch, 1) and those of the cells.
    """

    FIRST = 4
    """Columns before the biases."""

    def __init__(self, cells: Sequence[Any], quantiles: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cells = [keras.saving.deserialize_keras_object(cell) if isinstance(cell, dict) else cell for cell in cells]
        self.quantiles = self.output_size = quantiles
        self._sizes = [_sizes(cell) for cell in self.cells]
        self.state_size = [1, *(size for sizes in self._sizes for size in sizes)]
        self.out = keras.layers.Dense(quantiles, use_bias=False, kernel_initializer="zeros")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the weights of the cells and V."""
        batch, width = input_shape
        width = 3 + int(width or 0) - self.FIRST - self.quantiles
        for cell in self.cells:
            if not cell.built:
                cell.build((batch, width))
            width = cell.units
        self.out.build((batch, width))

    def call(
        self, inputs: Tensor, states: Sequence[Tensor], training: bool | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """The numbers a of this step, (batch, quantiles), and the new states."""
        truth, given, before, base = (inputs[:, place : place + 1] for place in range(self.FIRST))
        last = self.FIRST + self.quantiles
        value = states[0] + given * (truth - states[0])
        hidden = ops.concatenate([value, value - before, base, inputs[:, last:]], axis=1)
        left, new = list(states[1:]), []
        for cell, sizes in zip(self.cells, self._sizes, strict=True):
            own, left = left[: len(sizes)], left[len(sizes) :]
            hidden, after = cell(hidden, own, training=training)
            new += list(after) if isinstance(after, list | tuple) else [after]
        free = self.out(hidden) + inputs[:, self.FIRST : last]
        middle = self.quantiles // 2
        return free, [base + free[:, middle : middle + 1], *new]

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the cell, those inside included."""
        cells = [keras.saving.serialize_keras_object(cell) for cell in self.cells]
        return {**super().get_config(), "cells": cells, "quantiles": self.quantiles}


@keras.saving.register_keras_serializable(package="forecaster")
class Decoder(keras.layers.Layer):
    """Goes through the horizon with a `FeedbackCell`.

    Args:
        cells: Of the `FeedbackCell`.
        quantiles: How many.

    Call arguments:
        base: The naive base, (batch, horizon).
        start: The value before the first step, (batch, 1).
        taught: True values where the step behind them is to read them, NaN where it reads the median; (batch,
            horizon). Left out, it always reads the median.
        states: Of the cells to begin with, in their order; may be empty.
        coming: What is known of each step, (batch, horizon, features); may be left out.
        training: Whether cells with `recurrent_dropout` drop some of their hidden state, the same in every step.

    Returns:
        Free numbers for `heads.Quantiles`, (batch, horizon, quantiles).
    """

    def __init__(self, cells: Sequence[Any], quantiles: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.loop = keras.layers.RNN(FeedbackCell(cells, quantiles), return_sequences=True)

    def build(
        self, base_shape: Any, start_shape: Any = None, taught_shape: Any = None, states_shape: Any = None,
        coming_shape: Any = None,
    ) -> None:  # fmt: skip
        """Makes the weights; one bias for each step and quantile."""
        cell, (batch, horizon) = self.loop.cell, base_shape
        self.bias = self.add_weight(shape=(horizon, cell.quantiles), initializer="zeros", name="bias")
        width = cell.FIRST + cell.quantiles + (coming_shape[-1] if coming_shape else 0)
        self.loop.build((batch, horizon, width))

    def call(
        self, base: Tensor, start: Tensor, taught: Tensor = None, states: Sequence[Tensor] = (), coming: Tensor = None,
        training: bool | None = None,
    ) -> Tensor:  # fmt: skip
        """See the class."""
        none = ops.zeros_like(start)
        truth = given = ops.zeros_like(base)
        if taught is not None:
            there = ops.isfinite(taught)
            truth = _shifted(ops.where(there, taught, 0.0), none)
            given = _shifted(ops.cast(there, base.dtype), none)
        columns = [part[:, :, None] for part in (truth, given, _shifted(base, start), base)]
        bias = ops.cast(self.bias, base.dtype)[None] + ops.zeros_like(columns[0])
        sequence = ops.concatenate([*columns, bias, *([] if coming is None else [coming])], axis=2)
        with self._masks(states if training else ()):
            return self.loop(sequence, initial_state=[start, *states])

    @contextmanager
    def _masks(self, states: Sequence[Tensor]) -> Iterator[None]:
        """The cells keep the masks that they draw from their states here, before the loop, until its end."""
        left, dropping = list(states), []
        for cell in self.loop.cell.cells if states else ():
            own, left = left[: len(_sizes(cell))], left[len(_sizes(cell)) :]
            if getattr(cell, "recurrent_dropout", 0.0):
                cell.get_recurrent_dropout_mask(own[0])
                dropping.append(cell)
        try:
            yield
        finally:
            for cell in dropping:
                cell.reset_recurrent_dropout_mask()

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer, the cells included."""
        cell = self.loop.cell.get_config()
        return {**super().get_config(), "cells": cell["cells"], "quantiles": cell["quantiles"]}


def _shifted(values: Tensor, first: Tensor) -> Tensor:
    """One step later: `first` (batch, 1), then all but the last."""
    return ops.concatenate([first, values[:, :-1]], axis=1)


def _sizes(cell: Any) -> tuple[int, ...]:
    size = cell.state_size
    return tuple(size) if isinstance(size, list | tuple) else (size,)
