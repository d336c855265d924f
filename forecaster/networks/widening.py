"""Intervals that are the wider the less was held out to calibrate them by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from forecaster.networks.caution import caution
from forecaster.networks.shape import Shape

__all__ = ["Widening", "widened"]


@keras.saving.register_keras_serializable(package="forecaster")
class Widening(keras.layers.Layer):
    """Moves quantiles away from their median.

        m + factor[i] × (q[i] − m), where m is the median

    Args:
        factors: One a quantile, not falling from the middle outwards, so that quantiles do not cross.

    Call arguments:
        quantiles: Shape (batch, horizon, quantiles).

    Returns:
        The same shape.
    """

    def __init__(self, factors: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factors = tuple(factors)

    def call(self, quantiles: Any) -> Any:
        """See the class."""
        place = len(self.factors) // 2
        median = quantiles[:, :, place : place + 1]
        return median + ops.convert_to_tensor(self.factors, quantiles.dtype) * (quantiles - median)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "factors": self.factors}


def widened(quantiles: Any, shape: Shape) -> Any:
    """Quantiles in units of the frame, wider where the network's intervals are calibrated by few looks.

    Args:
        quantiles: Shape (batch, horizon, quantiles).
        shape: Of the network.
    """
    return Widening(caution(shape.quantiles, shape.looks), name="caution")(quantiles) if shape.looks else quantiles
