"""What stands at every step of the horizon: its bias, and what is known of it."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from forecaster.networks.features import Features
from forecaster.networks.shape import Shape

__all__ = ["StepBias", "at_each_step", "each_step"]


@keras.saving.register_keras_serializable(package="forecaster")
class StepBias(keras.layers.Layer):
    """Adds a number of its own to every step and quantile.

    Call arguments:
        free: Shape (batch, horizon, quantiles); so is what is returned.
    """

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Makes the numbers, which begin at zero."""
        self.bias = self.add_weight(shape=shape[1:], initializer="zeros", name="bias")

    def call(self, free: Any) -> Any:
        """See the class."""
        return free + self.bias


def each_step(features: Features, shape: Shape) -> list[Any]:
    """What is known of each step of the horizon, and of the series; (batch, horizon, features) each."""
    parts = [] if features.coming is None else [features.coming]
    if features.static is not None:
        parts.append(at_each_step(features.static, features.base))
    return parts


def at_each_step(values: Any, base: Any) -> Any:
    """The same numbers for each step: as `keras.layers.RepeatVector`, whose graph is five times as large.

    Args:
        values: Shape (batch, features).
        base: Any numbers of shape (batch, steps).

    Returns:
        Shape (batch, steps, features).
    """
    return values[:, None] + ops.zeros_like(base)[:, :, None]
