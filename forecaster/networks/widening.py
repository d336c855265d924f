"""Intervals that are more like the naive forecast's, and wider, the less was held out to calibrate them by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from forecaster.networks.caution import FARTHEST, caution, usual_distances, usual_share
from forecaster.networks.frame import ToFrame, encode_target, growth, on_working_scale
from forecaster.networks.shape import Shape

__all__ = ["Widening", "usual_in_frames", "widened"]


@keras.saving.register_keras_serializable(package="forecaster")
class Widening(keras.layers.Layer):
    """Draws the distances of quantiles from their median towards what is usual, and makes them larger.

    It does in a graph what `caution.cautious` does with arrays. Versions were published for which nothing is usual.

    Args:
        factors: One a quantile, not falling from the middle outwards, so that quantiles do not cross.
        usual: Distances, not falling from the middle outwards, shape (horizon, quantiles); zeros at steps where
            nothing is usual, empty where nothing is at any.
        looks: That the network's own distances are worth.

    Call arguments:
        quantiles: Shape (batch, horizon, quantiles).

    Returns:
        The same shape.
    """

    def __init__(
        self, factors: Sequence[float], usual: Sequence[Sequence[float]] = (), looks: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.factors, self.usual, self.looks = tuple(factors), tuple(map(tuple, usual)), looks

    def call(self, quantiles: Any) -> Any:
        """See the class."""
        place = len(self.factors) // 2
        median = quantiles[:, :, place : place + 1]
        apart = quantiles - median
        factors = ops.convert_to_tensor(self.factors, quantiles.dtype)
        if not self.usual:
            return median + factors * apart
        usual, share = ops.convert_to_tensor(self.usual, quantiles.dtype), usual_share(self.looks)
        known, distances = ops.max(usual, axis=1, keepdims=True) > 0, ops.abs(apart)
        bounded = ops.minimum(ops.maximum(usual, distances / FARTHEST), distances * FARTHEST)
        ratio = ops.where(bounded > 0, distances / ops.where(bounded > 0, bounded, 1.0), 1.0)
        return median + factors * apart / ops.where(known, 1 - share + share * ratio, 1.0)

    def compute_output_shape(self, quantiles_shape: Any) -> Any:
        """Said, so that Keras need not find it out by a graph."""
        return quantiles_shape

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "factors": self.factors, "usual": self.usual, "looks": self.looks}


def widened(quantiles: Any, shape: Shape) -> Any:
    """Quantiles in units of the frame, more like what is usual, and wider, where few looks calibrate the network's.

    Args:
        quantiles: Shape (batch, horizon, quantiles).
        shape: Of the network.
    """
    if not shape.looks:
        return quantiles
    return Widening(caution(shape.quantiles, shape.looks), shape.usual, shape.looks, name="caution")(quantiles)


def usual_in_frames(past: np.ndarray, target: np.ndarray, shape: Shape) -> tuple[tuple[float, ...], ...]:
    """`Shape.usual`: the distances that the naive forecast's errors ask for, in units of the windows' frames.

    Args:
        past: The target in the lookback, raw, shape (windows, lookback).
        target: What came, raw, shape (windows, horizon).
        shape: Of the network.
    """
    windows, transform = ops.convert_to_tensor(past, "float32"), shape.transform
    frame = ops.convert_to_numpy(ToFrame(transform)(windows)[2])
    level, spread = frame[:, :1], frame[:, 1:]
    seen = (ops.convert_to_numpy(on_working_scale(windows, transform)) - level) / spread
    units = ops.convert_to_numpy(growth(transform, shape.horizon, "float32"))
    coming = units * ops.convert_to_numpy(encode_target(ops.convert_to_tensor(target, "float32"), frame, transform))
    found = usual_distances(seen, coming, shape.seasons, shape.quantiles) / units.T
    return tuple(map(tuple, found.tolist()))
