"""What stands behind the recurrence: the base that a forecast starts from, and quantiles that never cross."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from scipy.optimize import minimize_scalar

from forecaster.networks.caution import FAR
from forecaster.networks.replicas import total

__all__ = ["NaiveBase", "Quantiles", "believed", "best_stretch", "free_numbers", "pinball", "window_weights"]

MOST_AT_FIRST = 12.0
"""Spreads of its window that an error of the naive base counts as at most where an untrained network is set up."""


@keras.saving.register_keras_serializable(package="forecaster")
class NaiveBase(keras.layers.Layer):
    """The naive forecast inside the network: what was there one season ago, averaged over the seasons.

    A network then only has to learn what the naive forecast misses. Where a season's value is missing, the season
    before it is taken; where none is observed, the other seasons or, at last, the level of the window. Season 1
    repeats the last value. Without any season the base is zero: on the scale of changes that is the naive forecast.

    Args:
        seasons: In time steps; may be empty.
        horizon: Steps to forecast.

    Call arguments:
        scaled: Shape (batch, lookback), 0 where missing.
        observed: 1 or 0, same shape.

    Returns:
        Shape (batch, horizon), in the units of `scaled`.
    """

    BACK = 3
    """How many seasons back a value is looked for."""

    def __init__(self, seasons: Sequence[int], horizon: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seasons = tuple(seasons)
        self.horizon = horizon

    def call(self, scaled: Any, observed: Any) -> Any:
        """See the class."""
        lookback, steps = scaled.shape[1], np.arange(self.horizon)
        if not self.seasons:
            return ops.matmul(ops.zeros_like(scaled[:, :1]), ops.zeros((1, self.horizon), dtype=scaled.dtype))
        seasons, back = np.array(self.seasons)[:, None, None], 1 + np.arange(self.BACK)[:, None]
        places = lookback + steps - seasons * (steps // seasons + back)  # (seasons, back, horizon), newest first
        inside = ops.cast(places >= 0, scaled.dtype)
        places = np.maximum(places, 0)
        seen = ops.take(observed, places, axis=1) * inside
        chosen = seen * ops.cast(ops.cumsum(seen, axis=2) < 1.5, scaled.dtype)
        value = ops.sum(ops.take(scaled, places, axis=1) * chosen, axis=(1, 2))
        return value / ops.maximum(ops.sum(chosen, axis=(1, 2)), 1.0)

    def compute_output_shape(self, scaled_shape: Any, observed_shape: Any) -> Any:
        """Said, so that Keras need not find it out by a graph."""
        return scaled_shape[0], self.horizon

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "seasons": self.seasons, "horizon": self.horizon}


@keras.saving.register_keras_serializable(package="forecaster")
class Quantiles(keras.layers.Layer):
    """Turns free numbers into quantiles that do not cross: the median, and positive distances from it.

        q[m] = base + a[m];  q[i] = q[i−1] + s · softplus(a[i]) for i > m;  q[i] = q[i+1] − s · softplus(a[i]) for i < m

    The stretch s is 1 in training and set afterwards, by windows that were held out.

    Args:
        middle: Place m of the median.
        steps: How many stretches: 1 for all steps together, or the horizon.

    Call arguments:
        free: a, shape (batch, horizon, quantiles).
        base: Shape (batch, horizon).

    Returns:
        Increasing along the last axis; shape (batch, horizon, quantiles).
    """

    def __init__(self, middle: int, steps: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.middle, self.steps = middle, steps

    def build(self, *shapes: Any) -> None:
        """Makes the stretch."""
        self.stretch = self.add_weight(shape=(self.steps, 1), initializer="ones", trainable=False, name="stretch")

    def call(self, free: Any, base: Any) -> Any:
        """See the class."""
        median = base[:, :, None] + free[:, :, self.middle : self.middle + 1]
        distances = self.stretch * ops.softplus(free)
        above = ops.cumsum(distances[:, :, self.middle + 1 :], axis=-1)
        below = ops.flip(ops.cumsum(ops.flip(distances[:, :, : self.middle], axis=-1), axis=-1), axis=-1)
        return ops.concatenate([median - below, median, median + above], axis=-1)

    def compute_output_shape(self, free_shape: Any, base_shape: Any) -> Any:
        """Said, so that Keras need not find it out by a graph."""
        return free_shape

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "middle": self.middle, "steps": self.steps}


def pinball(target: Any, quantiles: Any, levels: Sequence[float], worth: Any = 1.0) -> Any:
    """Mean pinball loss over what is observed (Koenker and Bassett 1978).

    A window whose target lies far outside of its frame, as behind a flat lookback, weighs the less the farther: a few
    of these would else say what is learnt.

    Args:
        target: Shape (batch, horizon); NaN where missing.
        quantiles: Shape (batch, horizon, quantiles).
        levels: Probability of each quantile.
        worth: What an error of one unit is worth, shape (batch, 1); by default the same in every window.

    Returns:
        One number, in the units of the target; 0 where nothing is observed. On several replicas their sum is meant.
    """
    observed = ops.isfinite(target)
    target = ops.where(observed, target, 0.0)
    error = target[:, :, None] - quantiles
    probability = ops.reshape(ops.convert_to_tensor(levels, dtype=quantiles.dtype), (1, 1, -1))
    loss = ops.mean(ops.maximum(probability * error, (probability - 1.0) * error), axis=-1)
    counts = ops.cast(observed, loss.dtype)
    weight = counts * window_weights(target, counts) * worth
    worths = total(ops.sum(counts * worth))
    return ops.sum(loss * weight) / ops.where(worths > 0, worths, 1.0)


def window_weights(target: Any, counts: Any) -> Any:
    """What a window weighs: 1, or less where its target lies far outside of its frame.

    Args:
        target: In units of the frame, shape (batch, horizon); any number where it is missing.
        counts: 1 where it is observed, else 0.

    Returns:
        Shape (batch, 1).
    """
    size = ops.sum(ops.abs(target) * counts, axis=1, keepdims=True) / ops.maximum(
        ops.sum(counts, 1, keepdims=True), 1.0
    )
    return FAR / ops.maximum(size, FAR)


def believed(errors: np.ndarray) -> np.ndarray:
    """Errors of the base by which an untrained network is set up.

    Behind a lookback of zeros, or of one value again and again, there is no spread to measure by, and an error has any
    size; a network would not come back from a start out there.

    Args:
        errors: Target minus base, in spreads, shape (windows, horizon); NaN where missing.

    Returns:
        The same, not far beyond any that can be believed; 0 in steps where all are missing.
    """
    return np.clip(np.where(np.isfinite(errors).any(axis=0), errors, 0.0), -MOST_AT_FIRST, MOST_AT_FIRST)


def free_numbers(errors: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """What `Quantiles` turns into the empirical quantiles of the base's errors: the inverse of that layer.

    Args:
        errors: Target minus base, shape (windows, horizon); NaN where missing.
        levels: Probability of each quantile, the median in the middle.

    Returns:
        Shape (horizon, quantiles).
    """
    quantiles = np.nanquantile(believed(errors), levels, axis=0).T
    distances = np.maximum(np.diff(quantiles, axis=1), 1e-4)
    free = distances + np.log(-np.expm1(-distances))
    middle = len(levels) // 2
    return np.concatenate([free[:, :middle], quantiles[:, middle : middle + 1], free[:, middle:]], axis=1)


def best_stretch(target: np.ndarray, quantiles: np.ndarray, levels: Sequence[float]) -> float:
    """The factor on the distances from the median with the smallest pinball loss.

    Args:
        target: Shape (windows, horizon); NaN where missing.
        quantiles: Shape (windows, horizon, quantiles).
        levels: Probability of each quantile, the median in the middle.

    Returns:
        A factor from 1/8 to 8; 1 where nothing is observed.
    """
    if not np.isfinite(target).any():
        return 1.0
    middle = len(levels) // 2
    median = quantiles[:, :, middle : middle + 1]
    probabilities = np.asarray(levels)
    seen = np.isfinite(target)
    weights = ops.convert_to_numpy(window_weights(np.where(seen, target, 0.0), seen.astype(target.dtype)))[:, :, None]

    def loss(stretch: float) -> float:
        error = target[:, :, None] - (median + stretch * (quantiles - median))
        return float(np.nanmean(weights * np.maximum(probabilities * error, (probabilities - 1) * error)))

    found = minimize_scalar(lambda power: loss(2.0**power), bounds=(-3.0, 3.0), method="bounded")
    return float(2.0**found.x)
