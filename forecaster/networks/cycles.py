"""What was there at the same place of earlier cycles: a base that the state chooses, and lags that each step reads.

The naive base repeats fixed seasons. Which earlier day is the best model of the coming one differs from series to
series and from day to day: a network that may weigh the cycles of its lookback learns that, as attention does over
words (Bahdanau, Cho and Bengio 2015), and needs not carry whole days through its recurrent state.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

__all__ = ["CycleBase", "PastCycles"]

CLEAR = 4.0
"""Logit of the naive base before training, against 0 of each cycle."""


@keras.saving.register_keras_serializable(package="forecaster")
class PastCycles(keras.layers.Layer):
    """Lays the lookback's whole cycles, the last of which ends at the cutoff, beside each step of the horizon.

    Args:
        period: Time steps of a cycle; not above the lookback.
        horizon: Steps to forecast.

    Call arguments:
        scaled: Shape (batch, lookback), 0 where missing.
        observed: 1 or 0, same shape.
        base: The naive base, shape (batch, horizon).

    Returns:
        What was at the same place of each cycle minus the base, 0 where missing, and the mask, 1 or 0; each of shape
        (batch, horizon, cycles), oldest first.
    """

    def __init__(self, period: int, horizon: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.period, self.horizon = period, horizon

    def call(self, scaled: Any, observed: Any, base: Any) -> tuple[Any, Any]:
        """See the class."""
        seen = self._places(observed)
        return (self._places(scaled) - base[:, :, None]) * seen, seen

    def _places(self, values: Any) -> Any:
        """From (batch, lookback) to (batch, horizon, cycles)."""
        count = values.shape[1] // self.period
        cycles = ops.reshape(values[:, values.shape[1] - count * self.period :], (-1, count, self.period))
        turns = -(-self.horizon // self.period)
        return ops.concatenate([ops.transpose(cycles, (0, 2, 1))] * turns, axis=1)[:, : self.horizon]

    def compute_output_shape(self, scaled_shape: Any, observed_shape: Any, base_shape: Any) -> Any:
        """Said, so that Keras need not find it out by a graph."""
        shape = scaled_shape[0], self.horizon, scaled_shape[1] // self.period
        return shape, shape

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "period": self.period, "horizon": self.horizon}


@keras.saving.register_keras_serializable(package="forecaster")
class CycleBase(keras.layers.Layer):
    """How far the mean of the naive base and of the past cycles, weighed by the state, lies from the naive base.

        w = softmax(W s + b), a weight for the base and one for each cycle, anew for each cycle of the horizon
        shift[k] = Σ_j w_j (value[k, j] − base[k]) / (w_base + Σ_j w_j), over the cycles j observed at the place of k

    Before training the naive base has nearly all the weight.

    Args:
        period: Time steps of a cycle.

    Call arguments:
        state: Shape (batch, state).
        deviations: Of `PastCycles`.
        seen: Of `PastCycles`.

    Returns:
        The shift, shape (batch, horizon).
    """

    def __init__(self, period: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.period = period

    def build(self, state_shape: Any, deviations_shape: Any, seen_shape: Any) -> None:
        """Makes weights and bias."""
        self.horizon, self.count = deviations_shape[1], 1 + deviations_shape[2]
        self.turns = -(-self.horizon // self.period)
        self.kernel = self.add_weight(
            shape=(state_shape[-1], self.turns * self.count), initializer="zeros", name="kernel"
        )
        self.bias = self.add_weight(shape=(self.turns, self.count), initializer="zeros", name="bias")
        self.bias.assign(CLEAR * np.eye(1, self.count, dtype=np.float32).repeat(self.turns, axis=0))

    def call(self, state: Any, deviations: Any, seen: Any) -> Any:
        """See the class."""
        logits = ops.reshape(ops.matmul(state, self.kernel), (-1, self.turns, self.count)) + self.bias
        weights = ops.softmax(logits, axis=-1)
        if self.turns > 1:
            weights = weights[:, :, None] * ops.ones((1, 1, self.period, 1), dtype=weights.dtype)
            weights = ops.reshape(weights, (-1, self.turns * self.period, self.count))[:, : self.horizon]
        own, others = weights[:, :, 0], weights[:, :, 1:] * seen  # one turn stands for all steps
        return ops.sum(others * deviations, axis=-1) / ops.maximum(own + ops.sum(others, axis=-1), 1e-6)

    def compute_output_shape(self, state_shape: Any, deviations_shape: Any, seen_shape: Any) -> Any:
        """Said, so that Keras need not find it out by a graph."""
        return deviations_shape[:2]

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "period": self.period}
