"""The fit of one network: prepared, trained, calibrated, finished; an ensemble has several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecaster.config import ModelDefinition
from forecaster.forecasting.finishing import Finished, finish
from forecaster.forecasting.lessons import Examples, Lessons
from forecaster.forecasting.sparing import calibration_windows
from forecaster.forecasting.training import Control, train
from forecaster.series import Panel

__all__ = ["Member", "conform", "fit_member", "seed_of"]

MOST_HELD_OUT = 8_192
"""Windows by which bounds are moved, evenly spread over what the fit was not shown."""


@dataclass(frozen=True)
class Member:
    """A fitted network.

    Attributes:
        network: It.
        curve: See `train`.
        finished: What it learnt last, which can be undone; None where there was no finish.
    """

    network: Any
    curve: pd.DataFrame
    finished: Finished | None

    def moved_to(self, network: Any) -> Member:
        """The same weights in another network of the same build: one on a single device, that is, to forecast with."""
        network.forecast.set_weights(self.network.forecast.get_weights())
        return Member(network, self.curve, self.finished and self.finished.of(network))


def seed_of(seed: int, number: int) -> int:
    """The seed of a network of an ensemble; the first has the ensemble's.

    Example:
        >>> seed_of(7, 0), seed_of(7, 1) == seed_of(7, 1), seed_of(7, 1) == seed_of(7, 2)
        (7, True, False)
    """
    return seed if number == 0 else int(np.random.default_rng([seed, number]).integers(2**31))


def fit_member(
    network: Any,
    lessons: Lessons,
    static: np.ndarray | None,
    definition: ModelDefinition,
    control: Control,
    later: Callable[[int], Examples] | None,
) -> Member:
    """Fits one network.

    Args:
        network: Untrained, or with the weights to go on from.
        lessons: What it learns from and is stopped by.
        static: The static covariates of the training part, shape (series, static); None where there are weights to go
            on from, which know theirs.
        definition: The model file.
        control: Of this network.
        later: The batches of its finish; None for none.

    Raises:
        TrainingError: The loss is not finite.
        Interrupted: `control.stop` said so.
    """
    if static is None:
        network.stretch.assign(np.ones(network.stretch.shape))
    else:
        network.prepare(lessons.sample.inputs, lessons.sample.target, static)
    curve = train(network, lessons, definition, control)
    by = lessons.held_out if lessons.calibration is None else lessons.calibration
    network.calibrate(by.inputs, by.target)
    if later is None:
        return Member(network, curve, None)
    best = int(curve["step"].iloc[int(curve["validation"].argmin())])
    taken = definition.steps if static is None else best  # warm weights may be the best, and have not seen what came
    return Member(network, curve, finish(network, later, definition, taken, control))


def conform(network: Any, panel: Panel, border: np.ndarray, horizon: int, spared: tuple[int, ...]) -> np.ndarray:
    """The offsets of bounds that windows ask for which the fit was not shown; see `forecaster.networks.conformal`.

    Args:
        network: Joined, as it was before it learnt from them.
        panel: The fitting part.
        border: Ticks behind which it validates.
        horizon: Steps to forecast.
        spared: See `forecaster.forecasting.sparing`.
    """
    some, count = calibration_windows(panel, border, network.shape.lookback, horizon, spared, MOST_HELD_OUT)
    return np.asarray(network.conformal_offsets(some.inputs, some.target, max(count / horizon, 1.0)))
