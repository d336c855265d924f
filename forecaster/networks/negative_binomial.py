"""A head for counts: a negative binomial distribution, of which mean and dispersion are learnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from scipy.special import nbdtrik

from forecaster.networks.heads import window_weights
from forecaster.networks.replicas import total
from forecaster.networks.straight import straight_through

__all__ = ["COUNT_NUMBERS", "NegativeBinomial"]

COUNT_NUMBERS = 2
"""Free numbers of a step: of the dispersion, and of the mean."""
SHARP = 4.0
"""How closely the mean follows what is below zero up to zero: the softplus bends within a quarter of the spread."""
DISPERSIONS = np.log((1e-4, 1e2))
"""Logarithms of the smallest dispersion, which is Poisson's distribution as good as, and of the largest."""
MEANS = np.log((1e-3, 1e7))
"""Logarithms of the means between which quantiles are looked up."""
NODES = (141, 61)
"""Of the table: by the logarithm of the mean, of the dispersion."""
FIRST = 0.3
"""The dispersion before training."""


@keras.saving.register_keras_serializable(package="forecaster")
class NegativeBinomial(keras.layers.Layer):
    """The quantiles of a negative binomial distribution, which are whole numbers, and its likelihood.

        μ = spread · softplus(4 (level / spread + base + a[1])) / 4;  α = exp(a[0]);  variance = μ + α μ²

    With α = 0 it is Poisson's distribution. Quantiles stand in a table over log μ and log α, of real numbers whose next
    larger whole number is meant. The stretch is that of `heads.Quantiles`, on the distances from the median.

    Args:
        levels: Probability of each quantile, the median in the middle.
        steps: How many stretches: 1 for all steps together, or the horizon.

    Call arguments:
        free: a, shape (batch, horizon, 2).
        base: Shape (batch, horizon).
        frame: Level and spread of each window, shape (batch, 2).

    Returns:
        In the units of the frame, not falling along the last axis; shape (batch, horizon, quantiles).
    """

    def __init__(self, levels: Sequence[float], steps: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.levels, self.steps = tuple(levels), steps
        mean = np.exp(np.linspace(MEANS[0], MEANS[1], NODES[0]))[:, None, None]
        size = np.exp(-np.linspace(DISPERSIONS[0], DISPERSIONS[1], NODES[1]))[:, None]
        count = nbdtrik(np.array(self.levels), size, size / (size + mean))
        ratio = np.log((count + 1.0) / (mean + 1.0))
        self._table = ratio.reshape(-1, len(self.levels)).astype(np.float32)

    def build(self, *shapes: Any) -> None:
        """Makes the stretch."""
        self.stretch = self.add_weight(shape=(self.steps, 1), initializer="ones", trainable=False, name="stretch")

    def call(self, free: Any, base: Any, frame: Any) -> Any:
        """See the class."""
        mean, dispersion = _parameters(free, base, frame)
        count = (mean + 1.0) * ops.exp(self._looked_up(ops.log(mean), dispersion)) - 1.0
        count = straight_through(ops.maximum(ops.ceil(count - 0.01), 0.0), count)
        middle = len(self.levels) // 2
        median = count[:, :, middle : middle + 1]
        stretched = median + self.stretch * (count - median)
        count = straight_through(ops.maximum(ops.round(stretched), 0.0), stretched)
        return (count - frame[:, None, 0:1]) / frame[:, None, 1:2]

    def loss(self, target: Any, free: Any, base: Any, frame: Any) -> Any:
        """Mean negative logarithm of the likelihood of what is observed; windows weigh as in `heads.pinball`.

        Args:
            target: In the units of the frame, shape (batch, horizon); NaN where missing.
            free: See the class.
            base: See the class.
            frame: See the class.

        Returns:
            One number, 0 where nothing is observed; what depends on the target alone is left out.
        """
        observed = ops.isfinite(target)
        target = ops.where(observed, target, 0.0)
        mean, dispersion = (part[:, :, 0] for part in _parameters(free, base, frame))
        count = ops.maximum(frame[:, 0:1] + frame[:, 1:2] * target, 0.0)
        counts = ops.cast(observed, mean.dtype)
        weight = counts * window_weights(target, counts)
        return ops.sum(_surprise(count, mean, ops.exp(-dispersion)) * weight) / ops.maximum(total(ops.sum(counts)), 1.0)

    def first(self, errors: np.ndarray) -> np.ndarray:
        """Free numbers by which the untrained head says the base with its own errors' mean.

        Args:
            errors: Target minus base, shape (windows, horizon); NaN where missing.

        Returns:
            Shape (horizon, 2).
        """
        errors = np.where(np.isfinite(errors).any(axis=0), errors, 0.0)
        shift = np.clip(np.nanmean(np.clip(errors, -3.0, 3.0), axis=0), -1.0, 1.0)
        return np.stack([np.full_like(shift, np.log(FIRST)), shift], axis=1)

    def _looked_up(self, mean: Any, dispersion: Any) -> Any:
        """The table's logarithms of (count + 1) / (mean + 1), bilinearly; two of (batch, horizon, 1) to levels."""
        row, right = _place(mean, MEANS, NODES[0])
        column, above = _place(dispersion, DISPERSIONS, NODES[1])
        table, start = ops.convert_to_tensor(self._table), (row * NODES[1] + column)[:, :, 0]
        corners = [ops.take(table, start + step, axis=0) for step in (0, 1, NODES[1], NODES[1] + 1)]
        low = corners[0] * (1.0 - above) + corners[1] * above
        high = corners[2] * (1.0 - above) + corners[3] * above
        return low * (1.0 - right) + high * right

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "levels": self.levels, "steps": self.steps}


def _parameters(free: Any, base: Any, frame: Any) -> tuple[Any, Any]:
    """The mean, never zero, and the logarithm of the dispersion, each (batch, horizon, 1)."""
    level, spread = frame[:, None, 0:1], frame[:, None, 1:2]
    inner = level / spread + base[:, :, None] + free[:, :, 1:2]
    mean = ops.maximum(spread * ops.softplus(SHARP * inner) / SHARP, float(np.exp(MEANS[0])))
    return mean, ops.clip(free[:, :, 0:1], *DISPERSIONS.tolist())


def _place(value: Any, ends: np.ndarray, nodes: int) -> tuple[Any, Any]:
    """The node below a value, as a whole number, and the share of the way to the next one."""
    place = ops.clip((value - ends[0]) * ((nodes - 1) / (ends[1] - ends[0])), 0.0, nodes - 1.0)
    below = ops.minimum(ops.floor(place), nodes - 2.0)
    return ops.cast(below, "int32"), place - below


def _surprise(count: Any, mean: Any, size: Any) -> Any:
    """−log of the likelihood without what depends on the count alone; 1 / size is the dispersion.

    As deviance and Stirling's remainders (Loader 2000), since logarithms of gamma functions of large counts would
    differ by less than a 32-bit number can tell. The deviance, too, is told by what tells count and mean apart, so that
    nothing in it is as large as the count:

        count · log(count (mean + size) / (mean (count + size))) − size · log((count + size) / (mean + size))
    """
    some, apart = ops.maximum(count, 1e-6), (count - mean) / (mean + size)
    both = (mean + size) / (some + size)
    deviance = count * _logarithm(some / mean * both, (count - mean) / mean * (size / (count + size)))
    deviance = deviance - size * _logarithm((count + size) / (mean + size), apart)
    return deviance + ops.log1p(count / size) / 2.0 - _remainder(count + size) + _remainder(size)


def _logarithm(ratio: Any, apart: Any) -> Any:
    """The logarithm of a ratio, as precise as 32 bits allow, be it near 1 or near 0.

    Near 0 it is not that of 1 + apart, where the ratio itself would be lost.

    Args:
        ratio: Above 0.
        apart: What it is more than 1.
    """
    small = ratio < 0.5
    return ops.where(small, ops.log(ratio), ops.log1p(ops.where(small, 0.0, apart)))


def _remainder(value: Any) -> Any:
    """What Stirling's approximation of log Γ(x) leaves, by Binet's recurrence up to x + 4 and its series from there."""
    steps = [(value + step + 0.5) * ops.log1p(1.0 / (value + step)) - 1.0 for step in range(4)]
    far = value + 4.0
    return sum(steps) + 1.0 / (12.0 * far) - 1.0 / (360.0 * far**3)
