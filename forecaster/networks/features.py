"""What a network sees of a window: its inputs, scaled, with masks, and the naive base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from forecaster.networks.cycles import PastCycles
from forecaster.networks.frame import ScaleTogether, ToFrame
from forecaster.networks.heads import NaiveBase
from forecaster.networks.shape import Shape

__all__ = ["CovariateLevel", "Features", "StaticScale", "read_window", "segments", "window_inputs"]

FARTHEST = 5.0
"""Spreads from the mean of the training part beyond which a covariate's level is not told apart."""


@dataclass(frozen=True)
class Features:
    """A window in the units of its own frame.

    Attributes:
        scaled: The target's lookback, (batch, lookback), 0 where missing.
        observed: 1 or 0, same shape.
        frame: Level and spread, (batch, 2).
        base: The naive forecast, (batch, horizon).
        steps: All that is known of each step of the lookback, (batch, lookback, features).
        coming: What is known of each step of the horizon, (batch, horizon, 2 × known, and once more the level of
            each that is no calendar feature); None without known covariates.
        static: (batch, 2 × static); None without static covariates.
        cycles: Deviations and mask of `PastCycles`; None where the lookback holds no cycle.
    """

    scaled: Any
    observed: Any
    frame: Any
    base: Any
    steps: Any
    coming: Any
    static: Any
    cycles: tuple[Any, Any] | None = None


def window_inputs(shape: Shape) -> dict[str, Any]:
    """`past`, `known` and `static`, those that the network has, in raw units."""
    past = keras.Input((shape.lookback, 1 + shape.past + shape.known), name="past")
    known = keras.Input((shape.horizon, shape.known), name="known") if shape.known else None
    static = keras.Input((shape.static,), name="static") if shape.static else None
    return {tensor.name: tensor for tensor in (past, known, static) if tensor is not None}


def read_window(inputs: dict[str, Any], shape: Shape) -> Features:
    """Scales the inputs of a window.

    Args:
        inputs: As `window_inputs` makes them.
        shape: Of the network.
    """
    past, known, static = inputs["past"], inputs.get("known"), inputs.get("static")
    scaled, observed, frame = ToFrame(shape.transform, name="to_frame")(past[:, :, 0])
    steps, coming = _steps(scaled, observed, past, known, shape)
    constant = None if static is None else StaticScale(name="static_scale")(static)
    of_changes = shape.transform in ("difference", "log_return")
    base = NaiveBase(() if of_changes else shape.seasons, shape.horizon, name="naive_base")(scaled, observed)
    no_cycles = of_changes or shape.cycle == 1
    cycles = None if no_cycles else PastCycles(shape.cycle, shape.horizon, name="past_cycles")(scaled, observed, base)
    return Features(scaled, observed, frame, base, steps, coming, constant, cycles)


def segments(steps: Any, shape: Shape) -> Any:
    """Cuts the lookback into segments that the recurrence reads at once (SegRNN, Lin et al. 2023)."""
    short = -shape.lookback % shape.segment
    if short:
        steps = keras.layers.ZeroPadding1D((short, 0))(steps)
    count = (shape.lookback + short) // shape.segment
    return keras.layers.Reshape((count, shape.segment * steps.shape[-1]))(steps)


def _steps(scaled: Any, observed: Any, past: Any, known: Any, shape: Shape) -> tuple[Any, Any]:
    """What the recurrence reads at every step, (batch, lookback, features), and what is known of the horizon."""
    parts = [scaled[:, :, None], observed[:, :, None]]
    if shape.past:
        parts.append(ScaleTogether()(past[:, :, 1 : 1 + shape.past]))
    if known is None:
        return keras.layers.Concatenate()(parts), None
    window = keras.layers.Concatenate(axis=1)([past[:, :, 1 + shape.past :], known])
    numbers = shape.known - shape.calendar
    told = [ScaleTogether(shape.calendar)(window)]
    if numbers:
        told.append(CovariateLevel(name="known_level")(window[:, :, :numbers]))
    window = keras.layers.Concatenate()(told) if len(told) > 1 else told[0]
    parts.append(window[:, : shape.lookback])
    return keras.layers.Concatenate()(parts), window[:, shape.lookback :]


@keras.saving.register_keras_serializable(package="forecaster")
class CovariateLevel(keras.layers.Layer):
    """Where a known covariate stands, which its own window's mean takes away: whether a day is hot, not only hotter.

    It is measured by mean and spread of the training windows, which are weights of the network.

    Call arguments:
        values: Shape (batch, steps, covariates); NaN where missing.

    Returns:
        Scaled values, at most five spreads from the mean, 0 where missing; the same shape.
    """

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Makes the two constants, which are set before training."""
        self.mean = self.add_weight(shape=(shape[-1],), initializer="zeros", trainable=False, name="mean")
        self.spread = self.add_weight(shape=(shape[-1],), initializer="ones", trainable=False, name="spread")

    def learn(self, values: np.ndarray) -> None:
        """Sets the constants to mean and spread of training windows, shape (windows, steps, covariates)."""
        self.set_weights(_constants(values.reshape(-1, values.shape[-1])))

    def call(self, values: Any) -> Any:
        """See the class."""
        level = (values - self.mean) / self.spread
        return ops.where(ops.isfinite(values), ops.clip(level, -FARTHEST, FARTHEST), 0.0)

    def compute_output_shape(self, values_shape: Any) -> Any:
        """Said, so that Keras need not find it out by a graph."""
        return values_shape


@keras.saving.register_keras_serializable(package="forecaster")
class StaticScale(keras.layers.Layer):
    """Scales static covariates by constants of the training series, which are weights of the network.

    Call arguments:
        values: Shape (batch, covariates); NaN where missing.

    Returns:
        Scaled values, 0 where missing, and the mask; shape (batch, 2 × covariates).
    """

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Makes the two constants, which are set before training."""
        self.mean = self.add_weight(shape=(shape[-1],), initializer="zeros", trainable=False, name="mean")
        self.spread = self.add_weight(shape=(shape[-1],), initializer="ones", trainable=False, name="spread")

    def learn(self, values: np.ndarray) -> None:
        """Sets the constants to mean and spread of the training series, shape (series, covariates)."""
        self.set_weights(_constants(values))

    def call(self, values: Any) -> Any:
        """See the class."""
        observed = ops.isfinite(values)
        scaled = ops.where(observed, (values - self.mean) / self.spread, 0.0)
        return ops.concatenate([scaled, ops.cast(observed, scaled.dtype)], axis=-1)


def _constants(values: np.ndarray) -> list[np.ndarray]:
    """Mean and spread of each column over what is observed; 0 and 1 where nothing is, or all values are the same."""
    known = np.ma.masked_invalid(values.astype(np.float64))
    spread = known.std(axis=0).filled(1.0)
    return [known.mean(axis=0).filled(0.0), np.where(spread > 0, spread, 1.0)]
