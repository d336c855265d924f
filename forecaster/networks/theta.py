"""The Theta method inside of a network: exponential smoothing, which is a linear recurrence with one gate.

    l_t = l_{t−1} + α (y_t − l_{t−1})

A network learns from windows of the past how series go on; where these are short it takes what was usual then for what
is coming. Theta (Assimakopoulos and Nikolopoulos 2000) learns nothing from other windows: its season is that of the
series, its rate α what would have forecast the series best, its drift half of the series' slope (Hyndman and
Billah 2003). The two err in different places, so that a mean of both is better than either (Bates and Granger 1969).
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from forecaster.networks.frame import growth, on_working_scale, zero_filled

__all__ = ["RATES", "Blend", "deviation", "theta"]

RATES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)
"""Of which each window takes the one whose forecasts of the next step had the least squared error."""
SHARE_OF_SLOPE = 0.5
TINY = 1e-12
FARTHEST = 12.0
"""Spreads that the Theta method moves a forecast by at most: its memory is longer, and may hold what no more counts."""


def theta(values: Any, seen: Any, season: int, horizon: int) -> Any:
    """Forecasts of windows by the Theta method.

    Args:
        values: Shape (batch, steps); 0 where missing, as before the start of a series.
        seen: 1 or 0, where missing; same shape.
        season: Time steps; a window of fewer than three seasons has none.
        horizon: Steps to forecast.

    Returns:
        Shape (batch, horizon); 0 where nothing was observed.

    Example:
        >>> rising = np.arange(12, dtype="float32")[None]
        >>> np.round(ops.convert_to_numpy(theta(rising, np.ones_like(rising), season=1, horizon=3)), 1).tolist()
        [[11.5, 12.0, 12.5]]
    """
    season = season if season > 1 and values.shape[1] >= 3 * season else 1
    pattern = _pattern(values, seen, season) if season > 1 else ops.zeros_like(values[:, :1])
    places = np.arange(-values.shape[1], 0) % season
    plain = (values - ops.take(pattern, places, axis=1)) * seen
    level, rate = _smoothed(plain, seen)
    count = ops.sum(seen, axis=1, keepdims=True)
    lag = (1.0 - (1.0 - rate) ** count) / rate + _unseen_end(seen)
    ahead = ops.arange(horizon, dtype="float32")[None] + lag
    return level + SHARE_OF_SLOPE * _slope(plain, seen) * ahead + ops.take(pattern, np.arange(horizon) % season, axis=1)


def _pattern(values: Any, seen: Any, season: int) -> Any:
    """What each place of the season adds: means of the deviations from a centred moving average, drawn towards zero.

    They are drawn by as much as means of noise of their own spread would have said, so that no season stays where there
    is none (James and Stein 1961).

    Returns:
        Shape (batch, season); the place of the first step to forecast first.
    """
    weights = np.ones(season + 1 - season % 2, np.float32)
    if season % 2 == 0:
        weights[[0, -1]] = 0.5
    kernel = weights[:, None, None]
    total = ops.conv(values[:, :, None], kernel, padding="same")[:, :, 0]
    full = ops.conv(seen[:, :, None], kernel, padding="same")[:, :, 0] > season - 0.25
    counted = _by_season(seen * ops.cast(full, "float32"), season)
    apart = _by_season(values - total / season, season) * counted
    each = ops.sum(counted, axis=1)
    found = ops.sum(apart, axis=1) / ops.maximum(each, 1.0)
    left = ops.sum(ops.square(apart - found[:, None]) * counted, axis=(1, 2))
    found = found - ops.mean(found, axis=1, keepdims=True)
    free = ops.sum(each, axis=1) - season
    noise = left / ops.maximum(free, 1.0) / ops.maximum(ops.mean(each, axis=1), 1.0)
    signal = ops.sum(ops.square(found), axis=1) / (season - 1)
    kept = ops.clip(1.0 - noise / ops.maximum(signal, TINY), 0.0, 1.0)
    known = ops.logical_and(ops.all(each > 0, axis=1), free > 0)
    return found * ops.where(known, kept, 0.0)[:, None]


def _by_season(values: Any, season: int) -> Any:
    """From (batch, steps) to (batch, seasons, season), the last of which ends with the window."""
    missing = -values.shape[1] % season
    return ops.reshape(ops.pad(values, [[0, 0], [missing, 0]]), (-1, (values.shape[1] + missing) // season, season))


def _smoothed(values: Any, seen: Any) -> tuple[Any, Any]:
    """The level at the end of a window under its best rate, and that rate; shape (batch, 1) each.

    All rates are gone through at once; of those that are equally good it is the mean.
    """
    rates = ops.convert_to_tensor(np.array(RATES, np.float32))[None, None]
    begins = (seen * ops.cast(ops.cumsum(seen, axis=1) == 1.0, "float32"))[:, :, None]
    gate = ops.maximum(rates * seen[:, :, None], begins)
    levels = _recurred(1.0 - gate, gate * values[:, :, None])
    errors = (values[:, 1:, None] - levels[:, :-1]) * (seen[:, :, None] - begins)[:, 1:]
    squares = ops.sum(ops.square(errors), axis=1)
    least = ops.cast(squares <= ops.min(squares, axis=-1, keepdims=True), "float32")  # LiteRT has no argmin of ours
    best = least / ops.sum(least, axis=-1, keepdims=True)
    level = ops.sum(best * levels[:, -1], axis=-1, keepdims=True)
    return level, ops.sum(best * rates[:, 0], axis=-1, keepdims=True)


def _recurred(kept: Any, added: Any) -> Any:
    """All l_t = kept_t l_{t−1} + added_t from l_0 = 0, by doubling (Hillis and Steele 1986): (batch, steps, rates).

    Plain products and sums, in as many turns as the number of steps has digits in binary: every runtime has them.
    """
    steps, back = kept.shape[1], 1
    while back < steps:
        shift = [[0, 0], [back, 0], [0, 0]]
        added = added + kept * ops.pad(added, shift)[:, :steps]
        kept = kept * ops.pad(kept, shift, constant_values=1.0)[:, :steps]
        back *= 2
    return added


def _unseen_end(seen: Any) -> Any:
    """Steps behind the last one that was observed, over which a trend goes on unseen; shape (batch, 1)."""
    steps = ops.arange(1, seen.shape[1] + 1, dtype="float32")[None]
    return seen.shape[1] - ops.max(steps * seen, axis=1, keepdims=True)


def _slope(values: Any, seen: Any) -> Any:
    """Of the line of least squares through a window; 0 through fewer than three values; shape (batch, 1)."""
    count = ops.sum(seen, axis=1, keepdims=True)
    steps = ops.arange(values.shape[1], dtype="float32")[None]
    middle = ops.sum(steps * seen, axis=1, keepdims=True) / ops.maximum(count, 1.0)
    from_middle = (steps - middle) * seen
    rise = ops.sum(from_middle * values, axis=1, keepdims=True)
    slope = rise / ops.maximum(ops.sum(ops.square(from_middle), axis=1, keepdims=True), TINY)
    return ops.where(count >= 3, slope, 0.0)


def deviation(median: Any, past: Any, frame: Any, season: int, transform: str) -> Any:
    """How far the Theta method's forecast lies from a network's median, in units of its frame.

    Args:
        median: In units of the frame, shape (batch, horizon).
        past: Raw values of the target, shape (batch, steps); NaN where missing.
        frame: Level and spread, shape (batch, 2).
        season: Time steps.
        transform: One of `frame.TRANSFORMS`.

    Returns:
        Shape (batch, horizon), at most `FARTHEST` in size; 0 where nothing was observed.
    """
    working, seen = zero_filled(on_working_scale(past, transform))
    scaled, horizon = (working - frame[:, :1]) / frame[:, 1:] * seen, median.shape[1]
    said = theta(scaled, seen, season, horizon) / growth(transform, horizon, "float32")
    return ops.clip(said - median, -FARTHEST, FARTHEST) * ops.max(seen, axis=1, keepdims=True)


@keras.saving.register_keras_serializable(package="forecaster")
class Blend(keras.layers.Layer):
    """Moves all quantiles so far that the median is a mean of itself and of the Theta method's forecast.

        m + share × (theta − m) + stretch × (q[i] − m), where m is the median

    Args:
        share: Of the Theta method.
        stretch: Of the distances between quantiles, which such a mean needs less wide.
        season: Time steps.
        transform: One of `frame.TRANSFORMS`.

    Call arguments:
        quantiles: In units of the frame, shape (batch, horizon, quantiles).
        past: Raw values of the target, shape (batch, steps); NaN where missing.
        frame: Level and spread, shape (batch, 2).

    Returns:
        As `quantiles`.
    """

    def __init__(self, share: float, stretch: float, season: int, transform: str = "none", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.share, self.stretch, self.season, self.transform = share, stretch, season, transform

    def call(self, quantiles: Any, past: Any, frame: Any) -> Any:
        """See the class."""
        place = quantiles.shape[2] // 2
        middle = quantiles[:, :, place : place + 1]
        apart = deviation(middle[:, :, 0], past, frame, self.season, self.transform)[:, :, None]
        return middle + self.share * apart + self.stretch * (quantiles - middle)

    def compute_output_shape(self, quantiles_shape: Any, past_shape: Any, frame_shape: Any) -> Any:
        """Said, so that Keras need not find it out by a graph."""
        return quantiles_shape

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        told = {"share": self.share, "stretch": self.stretch, "season": self.season, "transform": self.transform}
        return {**super().get_config(), **told}
