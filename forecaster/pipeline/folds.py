"""A backtest with `refit: true`: the network is fitted anew at each forecast origin, here or by workers.

A fold is a function of pipeline, data and origin, so it does not matter where it is done. A worker reads the data
itself, makes sure that they are those of the run, and gives back the forecasts of one origin as plain arrays.
"""

from __future__ import annotations

import copy
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from forecaster.config import PipelineDefinition, Project
from forecaster.errors import ForecasterError
from forecaster.evaluation import roll
from forecaster.execution import Executor, Task
from forecaster.forecasting.backend import load_quietly
from forecaster.forecasting.protocol import Forecaster, forecast_frame
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.training import Control
from forecaster.pipeline.candidates import network_of
from forecaster.pipeline.orders import open_order, order_for
from forecaster.pipeline.preparation import Prepared
from forecaster.series import Panel, data_hash, forecastable

__all__ = ["FoldWork", "fit_fold", "roll_folds"]

FUNCTION = f"{__name__}:fit_fold"
"""What a worker is told to do."""
KEYS = 4
"""Columns of a backtest before those of the model: unique_id, ds, cutoff, y."""


class FoldError(ForecasterError):
    """A fold could not be fitted elsewhere."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True)
class FoldWork:
    """Has folds fitted by workers.

    Args:
        project: Where data and model files lie; workers read them there.
        base: Folder of the pipeline file.
        executor: Makes what does the work.
    """

    project: Project
    base: Path
    executor: Callable[[], Executor]

    def forecasts(self, definition: PipelineDefinition, prepared: Prepared, model: str) -> list[pd.DataFrame]:
        """What a network, fitted at each origin of the test part, says there: a table of its columns an origin.

        Raises:
            FoldError: A fold came to a bad end, and to which.
        """
        data = data_hash(prepared.panel)
        orders = {
            str(fold): order_for(definition, self.project, self.base, data, {"model": model, "fold": fold})
            for fold in np.flatnonzero(
                forecastable(prepared.panel, prepared.test, definition.horizon).any(axis=1)
            ).tolist()
        }
        found: dict[str, pd.DataFrame] = {}
        lost: set[str] = set()
        while waiting := [Task(key, FUNCTION, one, math.inf) for key, one in orders.items() if key not in found]:
            for answer in self.executor().run(waiting):
                if answer.parcel is not None:
                    found[answer.key] = _unpacked(answer.parcel)
                elif answer.lost and answer.key not in lost:
                    lost.add(answer.key)  # its worker died; another one tries once more
                else:
                    raise FoldError(f"{model}, forecast origin {int(answer.key) + 1}: {answer.error}", answer.exit_code)
        return [found[key] for key in orders]


def roll_folds(
    forecaster: Forecaster,
    definition: PipelineDefinition,
    prepared: Prepared,
    work: FoldWork | None,
    heed: Callable[[], None] = lambda: None,
) -> pd.DataFrame:
    """The backtest of a forecaster that is fitted at each origin; itself, it stays as it is.

    Args:
        forecaster: Of the run.
        definition: The pipeline.
        prepared: Its data, cut.
        work: Who fits networks; None for this process, which also fits those that go on from a version's weights.
        heed: As that of `roll`.
    """
    if isinstance(forecaster, RecurrentForecaster) and work and not forecaster.warm:
        told = _Told(forecaster.name, forecaster.horizon, work.forecasts(definition, prepared, forecaster.name))
        return roll(told, prepared.panel, prepared.test, levels=definition.levels, refit=True)
    twin = copy.copy(forecaster)
    if isinstance(twin, RecurrentForecaster):  # a checkpoint belongs to one fit
        twin.control = replace(twin.control, checkpoint=None)
    return roll(twin, prepared.panel, prepared.test, levels=definition.levels, refit=True, heed=heed)


def fit_fold(order: bytes) -> bytes:
    """What a worker does: fits a network at one forecast origin, and gives back what it says.

    Args:
        order: From `FoldWork`.

    Raises:
        DataError: The data are not those of the run.
    """
    told, definition, prepared = open_order(order)
    load_quietly()
    model = next(one for one in prepared.models if one.name == told["model"])
    network, origins = network_of(definition, prepared, model, Control()), prepared.test[told["fold"] :][:1]
    frame = roll(network, prepared.panel, origins, levels=definition.levels, refit=True)
    buffer = io.BytesIO()
    said = frame.iloc[:, KEYS:]
    np.savez(buffer, allow_pickle=False, names=np.array(list(said), dtype=np.str_), values=said.to_numpy())
    return buffer.getvalue()


def _unpacked(parcel: bytes) -> pd.DataFrame:
    with np.load(io.BytesIO(parcel), allow_pickle=False) as arrays:
        return pd.DataFrame(arrays["values"], columns=[str(name) for name in arrays["names"]])


class _Told:
    """A forecaster that says what others have said, origin by origin."""

    def __init__(self, name: str, horizon: int, parts: Sequence[pd.DataFrame]) -> None:
        self.name, self.horizon = name, horizon
        self._parts = iter(parts)

    def fit(self, panel: Panel) -> Self:
        """It has been fitted elsewhere."""
        return self

    def predict(self, panel: Panel, levels: Sequence[float] | None = None, start: Any = None) -> pd.DataFrame:
        """The forecasts of the next origin, under the panel's series and steps."""
        keys = forecast_frame(panel, self.name, np.zeros((len(panel), self.horizon, 1)), [])
        return pd.concat([keys.drop(columns=self.name), next(self._parts)], axis=1)
