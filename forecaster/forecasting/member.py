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
from forecaster.forecasting.training import Control, train

__all__ = ["Member", "fit_member", "seed_of"]


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
    static: np.ndarray,
    definition: ModelDefinition,
    control: Control,
    later: Callable[[int], Examples] | None,
) -> Member:
    """Fits one network.

    Args:
        network: Untrained.
        lessons: What it learns from and is stopped by.
        static: The static covariates of the training part, shape (series, static).
        definition: The model file.
        control: Of this network.
        later: The batches of its finish; None for none.

    Raises:
        TrainingError: The loss is not finite.
        Interrupted: `control.stop` said so.
    """
    network.prepare(lessons.sample.inputs, lessons.sample.target, static)
    curve = train(network, lessons, definition, control)
    network.calibrate(lessons.held_out.inputs, lessons.held_out.target)
    if later is None:
        return Member(network, curve, None)
    best = int(curve["step"].iloc[int(curve["validation"].argmin())])
    return Member(network, curve, finish(network, later, definition, best, control))
