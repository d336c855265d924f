"""How much of a forecast is the Theta method's: what the validation part says, drawn towards a half.

An estimated weight is seldom better than equal ones (the "forecast combination puzzle", Stock and Watson 2004): it fits
the part that it was estimated on, and so does a network that was stopped by that part. Series that move together are
one look at the world, however many they are, so forecast origins are counted, and a half counts as one of them.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from forecaster.config import ModelDefinition
from forecaster.forecasting.defaults import Resolved
from forecaster.forecasting.sparing import calibration_windows
from forecaster.networks.frame import encode_target
from forecaster.networks.heads import best_stretch
from forecaster.networks.theta import Blend, deviation
from forecaster.series import Batch, Panel, training_windows

__all__ = ["share_of", "theta_blend"]

logger = logging.getLogger(__name__)

MOST_HELD_OUT = 2_048
"""Windows by which the share is chosen, and those by which intervals are, evenly spread."""
AT_ONCE = 512
GRID = np.linspace(0.0, 1.0, 11)
HALF = 0.5


def theta_blend(
    network: Any, panel: Panel, border: np.ndarray, resolved: Resolved, horizon: int, definition: ModelDefinition
) -> Blend:
    """The layer that moves what a network says towards the Theta method.

    Args:
        network: As it was before its finish; several are joined.
        panel: The fitting part.
        border: Ticks behind which it validates.
        resolved: Lookback, memory, season, by what errors are judged, and what was spared.
        horizon: Steps to forecast.
        definition: The model file; `theta` is a share, or `auto`.
    """
    held_out = training_windows(panel, resolved.memory, horizon).after(border)
    one = _compared(network, held_out.gather(held_out.spread(MOST_HELD_OUT)), resolved)
    share, best = share_of(one.errors * one.worth, one.apart * one.worth, resolved.validation)
    share = share if definition.theta == "auto" else float(definition.theta)
    if resolved.spared:
        windows, _ = calibration_windows(panel, border, resolved.memory, horizon, resolved.spared, MOST_HELD_OUT)
        one = _compared(network, windows, resolved)
    stretch = best_stretch(one.target - share * one.apart, one.quantiles, network.shape.quantiles)
    told = "%s: %.0f%% of its forecast is the Theta method's (on the validation part %.0f%% is best); stretched by %.2f"
    logger.info(told, definition.name, 100 * share, 100 * best, stretch)
    return Blend(share, stretch, resolved.rhythm, resolved.transform, name="theta")


@dataclass(frozen=True)
class _Compared:
    """What came, what a network said of it, and how far from that the Theta method's forecast lies.

    Attributes:
        target: In units of the frame, as all of them; shape (windows, horizon).
        quantiles: Shape (windows, horizon, quantiles).
        apart: Shape (windows, horizon).
        worth: How much an error in such units counts; shape (windows, 1).
    """

    target: np.ndarray
    quantiles: np.ndarray
    apart: np.ndarray
    worth: np.ndarray

    @property
    def errors(self) -> np.ndarray:
        """Of the network's median; shape (windows, horizon)."""
        return np.asarray(self.target - self.quantiles[:, :, self.quantiles.shape[2] // 2])


def _compared(network: Any, windows: Batch, resolved: Resolved) -> _Compared:
    seen = {**windows.inputs, "past": windows.past[:, -resolved.lookback :]}
    quantiles, frame = _said(network, seen, len(windows.target))
    target = ops.convert_to_numpy(encode_target(ops.convert_to_tensor(windows.target), frame, resolved.transform))
    middle = quantiles[:, :, quantiles.shape[2] // 2]
    past = ops.convert_to_tensor(windows.past[:, :, 0])
    apart = ops.convert_to_numpy(deviation(middle, past, frame, resolved.rhythm, resolved.transform))
    worth = frame[:, 1:2] if resolved.relative else np.ones((len(frame), 1), np.float32)
    return _Compared(target, quantiles, apart, worth)


def _said(network: Any, inputs: dict[str, np.ndarray], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles and frames of many windows, of which few may fit at once."""
    some = [slice(begin, begin + AT_ONCE) for begin in range(0, count, AT_ONCE)]
    said = [network.scaled({name: part[one] for name, part in inputs.items()}, training=False) for one in some]
    both = [np.concatenate([ops.convert_to_numpy(one[part]) for one in said]) for part in ("quantiles", "frame")]
    return both[0], both[1]


def share_of(errors: np.ndarray, apart: np.ndarray, origins: int) -> tuple[float, float]:
    """The share by which a forecast is moved towards another.

    Args:
        errors: Targets minus the forecast, any shape; NaN where missing.
        apart: The other forecast minus this one, same shape.
        origins: How many forecast origins there are.

    Returns:
        The share, and the one with the least mean absolute error.

    Example:
        >>> share_of(np.array([1.0, 1.0]), np.array([2.0, 2.0]), origins=1)  # half of the way is right
        (0.5, 0.5)
        >>> share_of(np.array([0.0, 0.0]), np.array([2.0, 2.0]), origins=9)
        (0.05, 0.0)
    """
    known = np.isfinite(errors)
    if not known.any():
        return HALF, HALF
    losses = [np.abs(errors[known] - share * apart[known]).mean() for share in GRID]
    best = float(GRID[int(np.argmin(losses))])
    return (origins * best + HALF) / (origins + 1), best
