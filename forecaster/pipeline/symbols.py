"""The contest of a run on symbols: the same parts and steps as that of numbers, other baselines and scores."""

from __future__ import annotations

import time
from functools import partial

import numpy as np
import pandas as pd

from forecaster.config import ModelDefinition, PipelineDefinition
from forecaster.evaluation import join
from forecaster.evaluation.symbols import roll_symbols, symbol_course, symbol_leaderboard, symbol_scores
from forecaster.forecasting.symbol_baselines import SymbolBaseline
from forecaster.forecasting.symbol_frame import SymbolForecasting
from forecaster.forecasting.symbols import SymbolForecaster
from forecaster.forecasting.training import Control
from forecaster.pipeline.listener import Listener
from forecaster.pipeline.preparation import Prepared

__all__ = ["course_of_symbols", "hold_symbol_contest", "symbol_network"]


def symbol_network(
    definition: PipelineDefinition, prepared: Prepared, model: ModelDefinition, control: Control
) -> SymbolForecaster:
    """A network of the pipeline, not fitted."""
    return SymbolForecaster(
        model, definition.horizon, lookback=prepared.resolved.lookback, season=prepared.resolved.seasons or 1,
        validation=prepared.resolved.validation, step=prepared.step, seed=definition.seed, control=control,
        devices=definition.devices,
    )  # fmt: skip


def hold_symbol_contest(
    definition: PipelineDefinition, prepared: Prepared, listener: Listener, controls: dict[str, Control]
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, SymbolForecaster], str]:
    """Fits all models of a pipeline of symbols, lets them forecast the test part, and chooses on the validation part.

    Args:
        definition: The pipeline.
        prepared: Its data, cut.
        listener: Who is told.
        controls: How each network's fit is watched, by name.

    Returns:
        The backtest, the leaderboard, the networks by name, and the one that was best on the validation part.

    Raises:
        Interrupted: The listener said so.
    """
    frames: list[pd.DataFrame] = []
    seconds: dict[str, float] = {}
    networks: dict[str, SymbolForecaster] = {}
    validation: dict[str, float] = {}

    def entered(forecaster: SymbolForecasting) -> None:
        heed = partial(listener.heed, forecaster.name)
        heed()
        began = time.monotonic()
        forecaster.fit(prepared.fitting)
        seconds[forecaster.name] = time.monotonic() - began
        refit = definition.backtest.refit
        frames.append(roll_symbols(forecaster, prepared.panel, prepared.test, refit=refit, heed=heed))
        if refit:
            forecaster.fit(prepared.fitting)

    season = max(prepared.resolved.seasons, default=1)
    for name in definition.baselines:
        listener.begin(name)
        entered(SymbolBaseline(name, definition.horizon, season))
    for model in prepared.models:
        listener.begin(str(model.name))
        network = symbol_network(definition, prepared, model, controls[str(model.name)])
        entered(network)
        networks[network.name] = network
        with network.unfinished():
            held_out = roll_symbols(network, prepared.fitting, prepared.validation)
        validation[network.name] = symbol_scores(held_out, network.name)["log_loss"]
    forecasts = join(frames)
    table = symbol_leaderboard(
        forecasts, list(definition.baselines), list(networks), metrics=definition.metrics,
        significance=definition.promote.significance, overlap=-(-definition.horizon // prepared.step),
        seconds=seconds,
    )  # fmt: skip
    table["validation"] = table["model"].map(validation)
    return forecasts, table, networks, str(pd.Series(validation).fillna(np.inf).idxmin())


def course_of_symbols(frame: pd.DataFrame) -> pd.DataFrame:
    """Log losses of all models of a backtest: a row a cutoff, oldest first, a column a model."""
    suffix = "-y-p"
    return symbol_course(frame, [str(name).removesuffix(suffix) for name in frame if str(name).endswith(suffix)])
