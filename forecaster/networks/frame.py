"""The frame of a window: where its values lie and how far they spread, computed from its own lookback.

Scaling and transforms are layers of the network. There is no fitted scaler: what a served network computes
from a window is what it computed in training. Networks read and write raw units; NaN means missing.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = [
    "SMALLEST_SPREAD",
    "TRANSFORMS",
    "FromFrame",
    "Reframe",
    "ScaleTogether",
    "ToFrame",
    "differenced",
    "encode_target",
    "growth",
    "logarithmic",
    "on_working_scale",
    "zero_filled",
]

TRANSFORMS = ("none", "log", "difference", "log_return")
SMALLEST_SPREAD = 1e-5
"""Share of the mean absolute value under which a spread counts as rounding noise."""
ENOUGH = 4.0
"""Observed values from which on their spread is believed."""
UNKNOWN_SPREAD = 0.1
"""Share of the level that counts as the spread about a single value."""
LARGEST_LOGARITHM = 85.0
"""Of a forecast; the exponential of more is above the largest 32-bit number."""


def logarithmic(transform: str) -> bool:
    """Whether a network works on logarithms."""
    return transform in ("log", "log_return")


def differenced(transform: str) -> bool:
    """Whether it works on changes."""
    return transform in ("difference", "log_return")


def on_working_scale(values: Any, transform: str) -> Any:
    """Raw values on the scale that the network works in; NaN where they are missing or have no logarithm."""
    if not logarithmic(transform):
        return values
    return ops.where(values > 0, ops.log(ops.where(values > 0, values, 1.0)), float("nan"))


def zero_filled(values: Any) -> tuple[Any, Any]:
    """Values with zeros for NaN, and the mask of what was observed as numbers."""
    observed = ops.isfinite(values)
    return ops.where(observed, values, 0.0), ops.cast(observed, values.dtype)


def _moments(values: Any, axis: int) -> tuple[Any, Any]:
    """Mean and standard deviation of what is observed along an axis (kept); the latter never zero."""
    filled, observed = zero_filled(values)
    count = ops.maximum(ops.sum(observed, axis, keepdims=True), 1.0)
    mean = ops.sum(filled, axis, keepdims=True) / count
    variance = ops.sum(observed * ops.square(filled - mean), axis, keepdims=True) / count
    size = ops.sum(ops.abs(filled), axis, keepdims=True) / count
    return mean, _never_zero(ops.sqrt(variance), size)


def _least_spread(working: Any, transform: str) -> Any:
    """From one to three values nobody can tell a spread: up to a tenth of the level, or of one logarithm; else 0."""
    filled, observed = zero_filled(working)
    count = ops.sum(observed, 1, keepdims=True)
    size = 1.0 if logarithmic(transform) else ops.sum(ops.abs(filled), 1, keepdims=True) / ops.maximum(count, 1.0)
    return UNKNOWN_SPREAD * size * _unsure(count)


def _unsure(count: Any) -> Any:
    """1 for one value or none, 0 from four on."""
    return ops.clip((ENOUGH - count) / (ENOUGH - 1.0), 0.0, 1.0)


def _never_zero(spread: Any, size: Any) -> Any:
    spread = ops.maximum(spread, SMALLEST_SPREAD * size)
    return ops.where(spread > 0, spread, 1.0)


def growth(transform: str, horizon: int, dtype: Any) -> Any:
    """How the unit grows with the step k: by sqrt(k) for sums of k changes, else not; shape (1, horizon)."""
    steps = ops.reshape(ops.arange(1, horizon + 1, dtype=dtype), (1, horizon))
    return ops.sqrt(steps) if differenced(transform) else ops.ones_like(steps)


def encode_target(target: Any, frame: Any, transform: str) -> Any:
    """Raw targets in the units of their windows' frames.

    Args:
        target: Shape (batch, horizon); NaN where missing.
        frame: Level and spread, shape (batch, 2).
        transform: One of `TRANSFORMS`.

    Returns:
        Shape (batch, horizon); NaN where the target is missing.
    """
    level, spread = frame[:, 0:1], frame[:, 1:2]
    unit = spread * growth(transform, target.shape[1], target.dtype)
    return (on_working_scale(target, transform) - level) / unit


@keras.saving.register_keras_serializable(package="forecaster")
class ToFrame(keras.layers.Layer):
    """Scales the target of a lookback by the lookback's own level and spread.

    - `none`: w = y; the level is the mean of w, the spread its standard deviation, and the network reads
      (w − level) / spread.
    - `log`: the same with w = log y. A value that has no logarithm counts as missing.
    - `difference`: w = y; the level is the last observed w, the spread the root mean square of the changes
      w[t] − w[t−1], and the network reads the changes / spread.
    - `log_return`: the same with w = log y.

    From one to three values nobody can tell a spread: it is up to a tenth of the level, or of one logarithm, at least.

    Args:
        transform: One of `TRANSFORMS`.

    Call arguments:
        target: Shape (batch, lookback); NaN where missing.

    Returns:
        scaled: shape (batch, lookback), 0 where missing; observed: 1 or 0, same shape;
        frame: level and spread, shape (batch, 2).
    """

    def __init__(self, transform: str = "none", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.transform = transform

    def call(self, target: Any) -> tuple[Any, Any, Any]:
        """See the class."""
        working = on_working_scale(target, self.transform)
        if not differenced(self.transform):
            level, spread = _moments(working, axis=1)
            spread = ops.maximum(spread, _least_spread(working, self.transform))
            scaled, observed = zero_filled((working - level) / spread)
            return scaled, observed, ops.concatenate([level, spread], axis=1)
        level = _last_observed(working)
        gap = ops.full_like(working[:, :1], float("nan"))
        changes, observed = zero_filled(ops.concatenate([gap, working[:, 1:] - working[:, :-1]], axis=1))
        count = ops.sum(observed, 1, keepdims=True)
        spread = ops.sqrt(ops.sum(ops.square(changes), 1, keepdims=True) / ops.maximum(count, 1.0))
        least = UNKNOWN_SPREAD * (1.0 if logarithmic(self.transform) else ops.abs(level)) * _unsure(count + 1.0)
        spread = _never_zero(ops.maximum(spread, least), ops.abs(level))
        return changes / spread, observed, ops.concatenate([level, spread], axis=1)

    def compute_output_shape(self, target_shape: Any) -> Any:
        """Said, so that Keras need not find it out by a graph."""
        return target_shape, target_shape, (target_shape[0], 2)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "transform": self.transform}


def _last_observed(values: Any) -> Any:
    filled, observed = zero_filled(values)
    steps = ops.arange(1, values.shape[1] + 1, dtype=values.dtype)
    last = ops.max(observed * steps, axis=1, keepdims=True)
    return ops.sum(ops.where(steps == last, filled, 0.0), axis=1, keepdims=True)


@keras.saving.register_keras_serializable(package="forecaster")
class FromFrame(keras.layers.Layer):
    """The way back: from the units of the frame to raw units. It is increasing, so quantiles stay quantiles.

    Args:
        transform: The one of `ToFrame`.

    Call arguments:
        scaled: Shape (batch, horizon, quantiles).
        frame: Level and spread, shape (batch, 2).

    Returns:
        Raw quantiles, shape (batch, horizon, quantiles).
    """

    def __init__(self, transform: str = "none", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.transform = transform

    def call(self, scaled: Any, frame: Any) -> Any:
        """See the class."""
        unit = frame[:, 1:2] * growth(self.transform, scaled.shape[1], scaled.dtype)
        working = frame[:, 0:1, None] + unit[:, :, None] * scaled
        return ops.exp(ops.minimum(working, LARGEST_LOGARITHM)) if logarithmic(self.transform) else working

    def compute_output_shape(self, scaled_shape: Any, frame_shape: Any) -> Any:
        """Said, so that Keras need not find it out by a graph."""
        return scaled_shape

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "transform": self.transform}


@keras.saving.register_keras_serializable(package="forecaster")
class Reframe(keras.layers.Layer):
    """From the units of one frame to those of another, of the same window seen through another lookback.

    Args:
        transform: The one of `ToFrame`, the same in both.

    Call arguments:
        scaled: Shape (batch, horizon, quantiles).
        frame: Theirs, shape (batch, 2).
        other: That which they are brought into, shape (batch, 2).

    Returns:
        Shape (batch, horizon, quantiles).
    """

    def __init__(self, transform: str = "none", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.transform = transform

    def call(self, scaled: Any, frame: Any, other: Any) -> Any:
        """See the class."""
        units = growth(self.transform, scaled.shape[1], scaled.dtype)[:, :, None]
        shift = (frame[:, 0:1] - other[:, 0:1]) / other[:, 1:2]
        return scaled * (frame[:, 1:2] / other[:, 1:2])[:, :, None] + shift[:, :, None] / units

    def compute_output_shape(self, scaled_shape: Any, frame_shape: Any, other_shape: Any) -> Any:
        """Said, so that Keras need not find it out by a graph."""
        return scaled_shape

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "transform": self.transform}


@keras.saving.register_keras_serializable(package="forecaster")
class ScaleTogether(keras.layers.Layer):
    """Scales covariates by mean and spread over the steps of their own window.

    Known covariates are scaled over lookback and horizon at once, since both are known at the cutoff. Calendar
    features stay as they are: the window's own mean would take from a holiday, or from the month, what it says.

    Args:
        unscaled: How many covariates, the last, stay as they are.

    Call arguments:
        values: Shape (batch, steps, covariates); NaN where missing.

    Returns:
        Scaled values, 0 where missing, and the mask: shape (batch, steps, 2 × covariates).
    """

    def __init__(self, unscaled: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.unscaled = unscaled

    def call(self, values: Any) -> Any:
        """See the class."""
        scaled, observed = zero_filled(values)
        count = values.shape[-1] - self.unscaled
        if count:
            mean, spread = _moments(values[:, :, :count], axis=1)
            numbers, _ = zero_filled((values[:, :, :count] - mean) / spread)
            scaled = ops.concatenate([numbers, scaled[:, :, count:]], axis=-1)
        return ops.concatenate([scaled, observed], axis=-1)

    def compute_output_shape(self, values_shape: Any) -> Any:
        """Said, so that Keras need not find it out by a graph."""
        return (*values_shape[:-1], 2 * values_shape[-1])

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "unscaled": self.unscaled}
