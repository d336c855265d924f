"""The contest of a run: baselines and networks fitted, and judged on the same forecast origins."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from forecaster.config import PipelineDefinition
from forecaster.evaluation import METRICS, join, leaderboard, models_of, roll, scales
from forecaster.evaluation.apart import scored_apart
from forecaster.evaluation.direction import directions
from forecaster.evaluation.lagged import Likeness, lagged_copies
from forecaster.evaluation.metrics import score_one
from forecaster.evaluation.significance import curves
from forecaster.forecasting.protocol import Forecaster
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.training import Control
from forecaster.forecasting.warm import WarmStart
from forecaster.pipeline.candidates import network_of
from forecaster.pipeline.checkpoints import key_of
from forecaster.pipeline.folds import FoldWork, roll_folds
from forecaster.pipeline.listener import Listener
from forecaster.pipeline.preparation import Prepared, baselines
from forecaster.pipeline.symbols import course_of_symbols, hold_symbol_contest
from forecaster.series import data_hash

__all__ = ["Contest", "hold_contest", "losses_of", "overlap", "refitted", "validation_score"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Contest:
    """What the models of a run said.

    Attributes:
        forecasts: Of every model through the test part, beside what came.
        table: The leaderboard of the test part; `validation` stands in it, too.
        networks: The fitted networks by name.
        chosen: The network that was best on the validation part.
    """

    forecasts: pd.DataFrame
    table: pd.DataFrame
    networks: dict[str, RecurrentForecaster]
    chosen: str

    def course(self, definition: PipelineDefinition, prepared: Prepared) -> pd.DataFrame:
        """Losses by the promotion's metric at each cutoff of the test part, a column a model; see `losses_of`."""
        return losses_of(self.forecasts, definition, prepared)

    @property
    def origins(self) -> int:
        """Forecast origins of the test part with scores; where series share no clock, of the series that has most."""
        came = self.forecasts[self.forecasts["y"].notna()]
        return int(came.groupby("unique_id", sort=False)["cutoff"].nunique().max())

    def apart(self, definition: PipelineDefinition, prepared: Prepared, naive: str) -> pd.DataFrame:
        """The scores of series that networks knew little of, beside those of one naive forecast.

        None with `refit`: what networks of later folds knew is another matter at each of them.
        """
        if definition.backtest.refit:
            return pd.DataFrame()
        networks = [str(model) for model in self.table["model"] if model in self.networks]
        return scored_apart(
            self.forecasts, prepared.fitting, [*networks, naive], definition.promote.metric, prepared.season,
            self.winner.facts["lookback"], definition.horizon,
        )  # fmt: skip

    def lagged(self, prepared: Prepared) -> dict[str, Likeness]:
        """The models whose forecasts are lagged copies; one that is better than every naive forecast is none."""
        told = self.table[(self.table["kind"] != "naive") & ~self.table["significant"]]
        return lagged_copies(self.forecasts, prepared.panel, list(told["model"]))

    @property
    def winner(self) -> RecurrentForecaster:
        """The network that was chosen."""
        return self.networks[self.chosen]


@dataclass
class _Judged:
    """What the models of a run said and cost."""

    frames: list[pd.DataFrame] = field(default_factory=list)
    networks: dict[str, RecurrentForecaster] = field(default_factory=dict)
    validation: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def hold_contest(
    definition: PipelineDefinition,
    prepared: Prepared,
    listener: Listener,
    checkpoints: Path,
    *,
    resume: bool = False,
    warm: WarmStart | None = None,
    folds: FoldWork | None = None,
) -> Contest:
    """Fits all models of a pipeline, lets them forecast the test part, and chooses on the validation part.

    Args:
        definition: The pipeline.
        prepared: Its data, cut.
        listener: Who is told.
        checkpoints: Folder in which interrupted fits are kept.
        resume: Whether to go on from there.
        warm: Weights of a published version, from which the network of that name goes on.
        folds: Who fits the networks of a backtest with `refit`; None for this process.

    Raises:
        Interrupted: The listener said so.
        ForecasterError: With cause and remedy, whatever went wrong.
    """
    if definition.symbolic:
        data = data_hash(prepared.fitting)
        controls = {
            str(model.name): Control(
                listener.progress, listener.stop, checkpoints / f"{model.name}.npz", resume,
                key_of(definition, model, data),
            )
            for model in prepared.models
        }  # fmt: skip
        forecasts, table, networks, chosen = hold_symbol_contest(definition, prepared, listener, controls)
        return Contest(forecasts, table, dict(networks), chosen)
    judged = _judge(definition, prepared, listener, checkpoints, resume, warm, folds)
    forecasts = join(judged.frames)
    table = _leaderboard(definition, prepared, forecasts, judged)
    chosen = str(pd.Series(judged.validation).fillna(np.inf).idxmin())
    return Contest(forecasts, table, judged.networks, chosen)


def losses_of(frame: pd.DataFrame, definition: PipelineDefinition, prepared: Prepared) -> pd.DataFrame:
    """Losses of all models of a backtest by the promotion's metric: a row a cutoff, oldest first, a column a model."""
    if definition.symbolic:
        return course_of_symbols(frame)
    metric, scale = METRICS[definition.promote.metric], scales(prepared.fitting, prepared.season)
    return curves(frame, models_of(frame), metric, scale, prepared.panel.shared_clock)


def overlap(definition: PipelineDefinition, prepared: Prepared) -> int:
    """How many successive forecasts share targets."""
    return -(-definition.horizon // prepared.step)


def _judge(
    definition: PipelineDefinition,
    prepared: Prepared,
    listener: Listener,
    checkpoints: Path,
    resume: bool,
    warm: WarmStart | None,
    folds: FoldWork | None,
) -> _Judged:
    judged = _Judged()
    data = data_hash(prepared.fitting)
    for baseline in baselines(definition, prepared):
        listener.begin(baseline.name)
        _roll(baseline, definition, prepared, judged, folds, listener)
    for model in prepared.models:
        listener.begin(str(model.name))
        begun = warm if warm and warm.model == model.name else None
        key = key_of(definition, model, data, begun.source if begun else "")
        control = Control(listener.progress, listener.stop, checkpoints / f"{model.name}.npz", resume, key)
        network = network_of(definition, prepared, model, control, begun)
        _roll(network, definition, prepared, judged, folds, listener)
        judged.networks[network.name] = network
        judged.validation[network.name] = validation_score(network, definition, prepared)
    return judged


def _roll(
    forecaster: Forecaster,
    definition: PipelineDefinition,
    prepared: Prepared,
    judged: _Judged,
    folds: FoldWork | None,
    listener: Listener,
) -> None:
    """Fits on the fitting part and forecasts the test part."""
    heed = partial(listener.heed, forecaster.name)
    heed()
    began = time.monotonic()
    forecaster.fit(prepared.fitting)
    judged.seconds[forecaster.name] = time.monotonic() - began
    if definition.backtest.refit:
        frame = roll_folds(forecaster, definition, prepared, folds, heed)
    else:
        frame = roll(forecaster, prepared.panel, prepared.test, levels=definition.levels, heed=heed)
    judged.frames.append(frame)
    logger.info("%s: fitted in %.1f s, %d forecasts", forecaster.name, judged.seconds[forecaster.name], len(frame))


def validation_score(network: RecurrentForecaster, definition: PipelineDefinition, prepared: Prepared) -> float:
    """Its score on the validation part, by the promotion's metric, as it was before it learnt from that part."""
    with network.unfinished():
        frame = roll(network, prepared.fitting, prepared.validation)
    metric = METRICS[definition.promote.metric]
    trained_on = prepared.fitting.until(prepared.validation[0])
    return score_one(frame, network.name, metric, scales(trained_on, prepared.season))


def _leaderboard(
    definition: PipelineDefinition, prepared: Prepared, forecasts: pd.DataFrame, judged: _Judged
) -> pd.DataFrame:
    shared = overlap(definition, prepared)
    shown = [name for name in definition.metrics if name != "direction"]
    table = leaderboard(
        forecasts, prepared.fitting, metrics=shown, rank_by=definition.promote.metric,
        season=prepared.season, networks=list(judged.networks), significance=definition.promote.significance,
        overlap=shared, seconds=judged.seconds,
    )  # fmt: skip
    if prepared.directional:
        found = directions(forecasts, list(table["model"]), prepared.panel, shared).drop(columns="cutoffs")
        table = table.join(found, on="model")
    table["validation"] = table["model"].map(judged.validation)
    return table


def refitted(definition: PipelineDefinition, prepared: Prepared, winner: RecurrentForecaster) -> RecurrentForecaster:
    """The winner, or its twin that has learnt from all data, where the pipeline asks for that."""
    if not definition.promote.refit:
        return winner
    control = replace(winner.control, checkpoint=None)
    return network_of(definition, prepared, winner.definition, control).fit(prepared.panel)
