"""Conformal calibration: bounds moved so far that windows held out of training fall inside as often as they should."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

__all__ = ["Conformal", "conformal_offsets"]

ROUNDING = 1e-9
"""Taken from a share of values, so that a whole number of them does not become one more by rounding."""


@keras.saving.register_keras_serializable(package="forecaster")
class Conformal(keras.layers.Layer):
    """Moves each quantile of each step by an offset of its own; the median stays, and no two quantiles cross.

        q[i] = max(q[i−1], q[i] + o[i]) above the median, downwards the same with min

    Offsets are in the units of the window's frame, so they widen as the series does. They are zero until
    `conformal_offsets` are assigned; then they are weights of the network, and go wherever it goes.

    Args:
        horizon: Steps.
        quantiles: How many, the median in the middle.

    Call arguments:
        quantiles: In the units of the frame, shape (batch, horizon, quantiles).

    Returns:
        The same shape.
    """

    def __init__(self, horizon: int, quantiles: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.horizon, self.quantiles = horizon, quantiles

    def build(self, *shapes: Any) -> None:
        """Makes the offsets."""
        shape = (self.horizon, self.quantiles)
        self.offsets = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="offsets")

    def call(self, quantiles: Any) -> Any:
        """See the class."""
        moved, middle = quantiles + self.offsets, self.quantiles // 2
        bounds = [quantiles[:, :, middle]]
        for place in range(1, middle + 1):
            bounds.append(ops.maximum(bounds[-1], moved[:, :, middle + place]))
            bounds.insert(0, ops.minimum(bounds[0], moved[:, :, middle - place]))
        return ops.stack(bounds, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "horizon": self.horizon, "quantiles": self.quantiles}


def conformal_offsets(
    target: np.ndarray, quantiles: np.ndarray, levels: Sequence[float], independent: float
) -> np.ndarray:
    """How far each bound must be moved so that held-out targets lie between it and its like as often as they should.

    Conformalised quantile regression (Romano, Patterson and Candès 2019): the offset of an interval of level p is the
    quantile of max(lower − target, target − upper) at p + p / n, where n is the number of windows that share no target.
    Both bounds move by it; a shift of the whole interval would carry a bias into the forecasts that the finish mends. A
    step takes its neighbours' errors in, an eighth of the horizon on both sides.

    Args:
        target: Of windows held out, in the units of their frames, shape (windows, horizon); NaN where missing.
        quantiles: What was forecast of them, shape (windows, horizon, quantiles).
        levels: Probability of each quantile, the median in the middle.
        independent: How many windows that share no target there are.

    Returns:
        Shape (horizon, quantiles); 0 for the median, and where nothing was observed.

    Example:
        >>> target = np.array([[0.0], [1.0], [2.0], [9.0]])
        >>> conformal_offsets(target, np.zeros((4, 1, 3)), [0.1, 0.5, 0.9], independent=4).tolist()
        [[-9.0, 0.0, 9.0]]
    """
    horizon, middle = target.shape[1], len(levels) // 2
    near, offsets = horizon // 8, np.zeros((horizon, len(levels)))
    for place in range(middle):
        outside = np.maximum(quantiles[:, :, place] - target, target - quantiles[:, :, -1 - place])
        level = levels[-1 - place] - levels[place]
        for step in range(horizon):
            around = outside[:, max(step - near, 0) : step + near + 1]
            seen = around[np.isfinite(around)]
            if len(seen):
                share = min(level + level / independent, 1.0) - ROUNDING
                offset = np.quantile(seen, share, method="inverted_cdf")
                offsets[step, [place, -1 - place]] = -offset, offset
    return offsets
