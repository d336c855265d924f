"""A head that says a Student-t distribution: location, spread and degrees of freedom instead of free quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from scipy import stats
from scipy.special import gammaln

from forecaster.networks.heads import believed, window_weights
from forecaster.networks.replicas import total

__all__ = ["NUMBERS", "StudentT"]

NUMBERS = 3
"""Free numbers of a step: of the spread, the location in the middle, and of the degrees of freedom."""
HEAVIEST = 0.49
"""Largest inverse of the degrees of freedom; the variance is infinite from 0.5 on."""
NODES = 129
FIRST = 0.2
"""That inverse before training."""


@keras.saving.register_keras_serializable(package="forecaster")
class StudentT(keras.layers.Layer):
    """The quantiles of a Student-t distribution, and its likelihood, both by tables over 1 / ν.

        μ = base + a[1];  σ = softplus(a[0]);  1 / ν = 0.49 · sigmoid(a[2]);  q[p] = μ + s · σ · t_ν(p)

    With 1 / ν = 0 it is the normal distribution. Tails are heavier the larger 1 / ν, so a single far value in training
    moves location and spread less. The stretch s is that of `heads.Quantiles`.

    Args:
        levels: Probability of each quantile, the median in the middle.
        steps: How many stretches: 1 for all steps together, or the horizon.

    Call arguments:
        free: a, shape (batch, horizon, 3).
        base: Shape (batch, horizon).

    Returns:
        Increasing along the last axis; shape (batch, horizon, quantiles).
    """

    def __init__(self, levels: Sequence[float], steps: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.levels, self.steps = tuple(levels), steps
        inverse = np.linspace(0.0, HEAVIEST, NODES)
        freedom = np.append(1e9, 1 / inverse[1:])
        self._factors = np.asarray(stats.t.ppf(np.array(self.levels), freedom[:, None]), np.float32)
        peak = gammaln((freedom + 1) / 2) - gammaln(freedom / 2) - np.log(freedom * np.pi) / 2
        peak[0] = -np.log(2 * np.pi) / 2
        self._peaks = peak[:, None].astype(np.float32)

    def build(self, *shapes: Any) -> None:
        """Makes the stretch."""
        self.stretch = self.add_weight(shape=(self.steps, 1), initializer="ones", trainable=False, name="stretch")

    def call(self, free: Any, base: Any) -> Any:
        """See the class."""
        location, spread, inverse = self._parameters(free, base)
        return location + self.stretch * spread * _looked_up(self._factors, inverse)

    def loss(self, target: Any, free: Any, base: Any) -> Any:
        """Mean negative logarithm of the likelihood of what is observed; windows weigh as in `heads.pinball`.

        Args:
            target: Shape (batch, horizon); NaN where missing.
            free: See the class.
            base: See the class.

        Returns:
            One number; 0 where nothing is observed.
        """
        observed = ops.isfinite(target)
        target = ops.where(observed, target, 0.0)
        location, spread, inverse = self._parameters(free, base)
        distance = (target[:, :, None] - location) / spread
        # (1 + 1 / ν) / 2 · ν log(1 + d² / ν), whose limit at 1 / ν = 0 is d² / 2
        heavy = ops.maximum(inverse, 1e-3)
        tail = (1.0 + heavy) / (2.0 * heavy) * ops.log1p(heavy * ops.square(distance))
        surprise = (ops.log(spread) + tail - _looked_up(self._peaks, inverse))[:, :, 0]
        counts = ops.cast(observed, surprise.dtype)
        weight = counts * window_weights(target, counts)
        return ops.sum(surprise * weight) / ops.maximum(total(ops.sum(counts)), 1.0)

    def first(self, errors: np.ndarray) -> np.ndarray:
        """Free numbers by which the untrained head says the base with its own errors' median and spread.

        Args:
            errors: Target minus base, shape (windows, horizon); NaN where missing.

        Returns:
            Shape (horizon, 3).
        """
        low, location, high = np.nanquantile(believed(errors), (0.1, 0.5, 0.9), axis=0)
        spread = np.maximum((high - low) / (2 * stats.t.ppf(0.9, 1 / FIRST)), 1e-4)
        share = FIRST / HEAVIEST
        freedom = np.full_like(location, np.log(share / (1 - share)))
        return np.stack([spread + np.log(-np.expm1(-spread)), location, freedom], axis=1)

    def _parameters(self, free: Any, base: Any) -> tuple[Any, Any, Any]:
        """Location, spread and 1 / ν, each (batch, horizon, 1)."""
        location = base[:, :, None] + free[:, :, 1:2]
        return location, ops.softplus(free[:, :, 0:1]) + 1e-6, HEAVIEST * ops.sigmoid(free[:, :, 2:3])

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "levels": self.levels, "steps": self.steps}


def _looked_up(table: np.ndarray, inverse: Any) -> Any:
    """Rows of a table over 1 / ν, in a line between its nodes; (batch, horizon, 1) to (batch, horizon, columns)."""
    place = inverse[:, :, 0] * ((NODES - 1) / HEAVIEST)
    below = ops.minimum(ops.floor(place), NODES - 2.0)
    rows, share = ops.cast(below, "int32"), (place - below)[:, :, None]
    constant = ops.convert_to_tensor(table)
    return (1.0 - share) * ops.take(constant, rows, axis=0) + share * ops.take(constant, rows + 1, axis=0)
