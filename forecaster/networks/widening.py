"""Intervals that are more like the naive forecast's, and wider, the less was held out to calibrate them by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from forecaster.networks.caution import caution, drawn, least, usual_distances
from forecaster.networks.features import read_window
from forecaster.networks.frame import differenced, encode_target
from forecaster.networks.heads import NaiveBase
from forecaster.networks.shape import Shape

__all__ = ["Widening", "usual_in_frames", "widened"]


@keras.saving.register_keras_serializable(package="forecaster")
class Widening(keras.layers.Layer):
    """Draws the distances of quantiles from their median towards what is usual, and makes them larger.

    See `forecaster.networks.caution`. Versions were published for which nothing is usual.

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
        if self.usual:
            usual = ops.convert_to_tensor(self.usual, quantiles.dtype)
            towards = drawn(ops.abs(apart), ops.where(usual > 0, usual, 1.0), self.looks)
            apart = ops.where(usual > 0, ops.sign(apart) * towards, apart)
        return median + ops.convert_to_tensor(self.factors, quantiles.dtype) * apart

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


def usual_in_frames(
    inputs: Mapping[str, np.ndarray], target: np.ndarray, shape: Shape
) -> tuple[tuple[float, ...], ...]:
    """`Shape.usual`: the distances from the median that the errors of the network's naive base ask for.

    Of several seasons it is the one that repeats best, or their mean, as the base is.

    Args:
        inputs: Windows.
        target: Their targets, raw, shape (windows, horizon).
        shape: Of the network.
    """
    features = read_window({name: ops.convert_to_tensor(part, "float32") for name, part in inputs.items()}, shape)
    scaled = encode_target(ops.convert_to_tensor(target, "float32"), features.frame, shape.transform)
    bases = [features.base]
    if len(shape.seasons) > 1 and not differenced(shape.transform):
        bases += [NaiveBase((one,), shape.horizon)(features.scaled, features.observed) for one in shape.seasons]
    errors = [ops.convert_to_numpy(scaled) - ops.convert_to_numpy(base) for base in bases]
    return tuple(map(tuple, usual_distances(least(errors), shape.quantiles).tolist()))
