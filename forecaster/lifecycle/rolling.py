"""The champion on the test part of today: its forecasts beside what came, of whatever kind they are."""

from __future__ import annotations

import pandas as pd

from forecaster.config import PipelineDefinition
from forecaster.errors import DataError, DefinitionError
from forecaster.evaluation import join, roll
from forecaster.evaluation.symbols import roll_symbols
from forecaster.forecasting.published import PublishedForecaster
from forecaster.forecasting.published_symbols import PublishedSymbols
from forecaster.pipeline.preparation import Prepared
from forecaster.store import Version

__all__ = ["beside", "rolled"]

KEYS = ["unique_id", "ds", "cutoff", "y"]


def rolled(version: Version, definition: PipelineDefinition, prepared: Prepared) -> pd.DataFrame:
    """Forecasts of a published version from the cutoffs of the test part; of symbols those of `roll_symbols`.

    Raises:
        DefinitionError: It forecasts another number of steps, or another kind of value, than the pipeline now does, or
            reads other columns than that has.
    """
    manifest = version.manifest
    was, now = _says(manifest.vocabulary, manifest.horizon), _says(definition.symbolic, definition.horizon)
    if was != now:
        raise DefinitionError(
            f"{version.name}: the champion (version {version.number}) forecasts {was} and the pipeline {now}, so they "
            "cannot be compared; publish the changed pipeline once with forecaster run, or give it another `name`"
        )
    if definition.symbolic:
        return roll_symbols(PublishedSymbols(version), prepared.panel, prepared.test)
    champion = PublishedForecaster(version)
    try:
        champion.check(prepared.panel)
    except DataError as error:
        raise DefinitionError(
            f"{version.name}: the champion (version {version.number}) cannot be compared on these data: {error}; or "
            "publish the changed pipeline once with forecaster run, or give it another `name`"
        ) from None
    return roll(champion, prepared.panel, prepared.test, levels=[])


def _says(symbols: object, horizon: int) -> str:
    return f"{horizon} steps of {'symbols' if symbols else 'numbers'}"


def beside(frame: pd.DataFrame, model: str, others: pd.DataFrame, other: str, called: str) -> pd.DataFrame:
    """Two models side by side, as far as their losses need it.

    Args:
        frame: A backtest with `model` in it.
        model: That is taken from there under its own name.
        others: A backtest of the same cutoffs.
        other: That is taken from there.
        called: Its name from now on.
    """
    end = "-y-p" if f"{model}-y-p" in frame else ""
    own = frame[[*KEYS, f"{model}{end}"]]
    return join([own, others[[*KEYS, f"{other}{end}"]].rename(columns={f"{other}{end}": f"{called}{end}"})])
