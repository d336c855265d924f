"""The values that a forecast can have: any number, none below zero, or whole ones from zero on."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from forecaster.config.model import Support
from forecaster.networks.frame import FromFrame
from forecaster.networks.shape import Shape
from forecaster.networks.straight import straight_through
from forecaster.series.rounding import BORDER

__all__ = ["ToSupport", "to_raw", "within"]


def within(values: Any, support: Support) -> Any:
    """The nearest values that the support holds; quantiles in increasing order stay so.

    Rounding to the nearest is the continuity correction: where F is smooth and goes through the distribution function
    of a count half-way between whole numbers, the quantile of the count is the rounded one of F.

    Gradients go straight through, as if nothing had been moved.

    Args:
        values: Raw, of any shape.
        support: `real` leaves them as they are.
    """
    if support == "real":
        return values
    floored = ops.maximum(values, 0.0)
    nearest = ops.round(floored - BORDER) if support == "whole" else floored
    return straight_through(nearest, values)


@keras.saving.register_keras_serializable(package="forecaster")
class ToSupport(keras.layers.Layer):
    """See `within`.

    Args:
        support: `nonnegative` or `whole`.
    """

    def __init__(self, support: Support, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.support = support

    def call(self, values: Any) -> Any:
        """See the class."""
        return within(values, self.support)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "support": self.support}


def to_raw(quantiles: Any, frame: Any, shape: Shape) -> Any:
    """Quantiles in raw units, of values that a forecast can have.

    Args:
        quantiles: In units of the frame, shape (batch, horizon, quantiles).
        frame: Level and spread, shape (batch, 2).
        shape: Of the network.
    """
    raw = FromFrame(shape.transform, name="quantiles")(quantiles, frame)
    return raw if shape.support == "real" else ToSupport(shape.support, name="support")(raw)
