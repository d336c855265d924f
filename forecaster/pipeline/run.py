"""One run: load, backtest, choose, judge, publish, report."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from forecaster.config import ModelDefinition, PipelineDefinition, Project
from forecaster.evaluation import METRICS, join, leaderboard, roll, scales
from forecaster.evaluation.direction import directions
from forecaster.evaluation.metrics import score_one
from forecaster.forecasting.clipping import clipping
from forecaster.forecasting.protocol import Forecaster
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.training import Control, Progress
from forecaster.pipeline.preparation import Prepared, baselines, prepare
from forecaster.pipeline.publication import publish
from forecaster.pipeline.result import Gate, RunResult, judge, records
from forecaster.series import data_hash
from forecaster.store import Store

__all__ = ["Listener", "run"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listener:
    """Who is told how a run goes.

    Args:
        read: What was read, and what was inferred; once.
        begin: A model's turn has come.
        progress: How its fit goes.
        stop: Says whether to stop; then a checkpoint is kept.
    """

    read: Callable[[Mapping[str, Any], Mapping[str, str]], None] = lambda facts, inferred: None
    begin: Callable[[str], None] = lambda model: None
    progress: Callable[[Progress], None] = lambda progress: None
    stop: Callable[[], bool] = lambda: False


@dataclass
class _Judged:
    """What the models of a run said and cost."""

    frames: list[pd.DataFrame] = field(default_factory=list)
    networks: dict[str, RecurrentForecaster] = field(default_factory=dict)
    validation: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def run(
    definition: PipelineDefinition,
    project: Project,
    *,
    base: Path | None = None,
    publishing: bool = True,
    force: bool = False,
    resume: bool = False,
    report: Path | None = None,
    offline: bool = False,
    listener: Listener | None = None,
) -> RunResult:
    """Does the main job.

    Baselines and networks forecast the test part from a rolling origin. The network that was best on the validation
    part is held against the naive forecasts; if it beats all of them it is published.

    Args:
        definition: The pipeline, with a name.
        project: Where model files and the store lie.
        base: Folder of the pipeline file, for relative paths.
        publishing: Whether a network may be published at all.
        force: Whether to publish it even if it does not beat the naive forecasts.
        resume: Whether to go on from the checkpoints of an interrupted run.
        report: Where to write the HTML report; None writes none.
        offline: Whether to take tickers from their last snapshots, without the network.
        listener: Who is told.

    Raises:
        ForecasterError: With cause and remedy, whatever went wrong.
    """
    began = time.monotonic()
    listener, base = listener or Listener(), base or Path()
    prepared = prepare(definition, project, base, offline=offline)
    listener.read(prepared.panel.notes, prepared.inferred)
    for name, value in (*prepared.panel.notes.items(), *prepared.inferred.items()):
        logger.debug("%s: %s", name, value)
    checkpoints = project.store / ".checkpoints" / str(definition.name)
    judged = _judge(definition, prepared, listener, checkpoints, resume)
    forecasts = join(judged.frames)
    table = _leaderboard(definition, prepared, forecasts, judged)
    chosen = min(judged.validation, key=lambda name: judged.validation[name])
    gate = judge(table, chosen, definition.promote.metric, definition.promote.significance, len(prepared.test))
    version = None
    if publishing and (gate.passed or force):
        winner = _refitted(definition, prepared, judged.networks[chosen])
        scores = {"test": records(table)}
        version = publish(Store(project.store), definition, prepared, winner, gate, scores, base)
    gate = replace(gate, verdict=f"{gate.verdict} {_outcome(gate, definition, version, publishing)}")
    table["published"] = (table["model"] == chosen) & (version is not None)
    result = RunResult(
        str(definition.name), prepared.panel.notes, prepared.inferred, table, gate, forecasts,
        version.number if version else None, version.served if version else None, report, time.monotonic() - began,
        {name: words for name, one in judged.networks.items() if (words := clipping(one.curve))},
    )  # fmt: skip
    if report:
        from forecaster.pipeline.document import write

        write(report, definition, prepared, result, {name: one.curve for name, one in judged.networks.items()})
    _forget(checkpoints)
    return result


def _judge(
    definition: PipelineDefinition, prepared: Prepared, listener: Listener, checkpoints: Path, resume: bool
) -> _Judged:
    judged = _Judged()
    data = data_hash(prepared.fitting)
    for baseline in baselines(definition, prepared):
        listener.begin(baseline.name)
        _roll(baseline, definition, prepared, judged)
    for model in prepared.models:
        listener.begin(str(model.name))
        control = Control(
            listener.progress, listener.stop, checkpoints / f"{model.name}.npz", resume, _key(definition, model, data)
        )
        network = _forecaster(definition, prepared, model, control)
        _roll(network, definition, prepared, judged)
        judged.networks[network.name] = network
        judged.validation[network.name] = _validation_score(network, definition, prepared)
    return judged


def _roll(forecaster: Forecaster, definition: PipelineDefinition, prepared: Prepared, judged: _Judged) -> None:
    """Fits on the fitting part and forecasts the test part."""
    began = time.monotonic()
    refit = definition.backtest.refit
    forecaster.fit(prepared.fitting)
    judged.seconds[forecaster.name] = time.monotonic() - began
    frame = roll(forecaster, prepared.panel, prepared.test, levels=definition.levels, refit=refit)
    judged.frames.append(frame)
    logger.info("%s: fitted in %.1f s, %d forecasts", forecaster.name, judged.seconds[forecaster.name], len(frame))
    if refit:
        forecaster.fit(prepared.fitting)


def _forecaster(
    definition: PipelineDefinition, prepared: Prepared, model: ModelDefinition, control: Control
) -> RecurrentForecaster:
    return RecurrentForecaster(
        model, definition.horizon, lookback=prepared.resolved.lookback, season=prepared.resolved.seasons or 1,
        levels=definition.levels, transform=prepared.transform, validation=prepared.resolved.validation,
        step=prepared.step, seed=definition.seed, control=control,
    )  # fmt: skip


def _validation_score(network: RecurrentForecaster, definition: PipelineDefinition, prepared: Prepared) -> float:
    frame = roll(network, prepared.fitting, prepared.validation)
    metric = METRICS[definition.promote.metric]
    trained_on = prepared.fitting.until(prepared.validation[0])
    return score_one(frame, network.name, metric, scales(trained_on, prepared.season))


def _leaderboard(
    definition: PipelineDefinition, prepared: Prepared, forecasts: pd.DataFrame, judged: _Judged
) -> pd.DataFrame:
    overlap = -(-definition.horizon // prepared.step)
    shown = [name for name in definition.metrics if name != "direction"]
    table = leaderboard(
        forecasts, prepared.fitting, metrics=shown, rank_by=definition.promote.metric,
        season=prepared.season, networks=list(judged.networks), significance=definition.promote.significance,
        overlap=overlap, seconds=judged.seconds,
    )  # fmt: skip
    if prepared.directional:
        found = directions(forecasts, list(table["model"]), prepared.panel, overlap).drop(columns="cutoffs")
        table = table.join(found, on="model")
    table["validation"] = table["model"].map(judged.validation)
    return table


def _refitted(definition: PipelineDefinition, prepared: Prepared, winner: RecurrentForecaster) -> RecurrentForecaster:
    """The winner, or its twin that has learnt from all data, where the pipeline asks for that."""
    if not definition.promote.refit:
        return winner
    control = replace(winner.control, checkpoint=None)
    return _forecaster(definition, prepared, winner.definition, control).fit(prepared.panel)


def _outcome(gate: Gate, definition: PipelineDefinition, version: Any, publishing: bool) -> str:
    if version is not None:
        forced = " although it did not pass, since --force was given" if not gate.passed else ""
        twin = ", fitted once more on all data" if definition.promote.refit else ""
        return f"Published as {definition.name} version {version.number}{twin}{forced}."
    if not publishing:
        return "This was a backtest: nothing was published."
    return "Nothing was published (--force publishes all the same)."


def _key(definition: PipelineDefinition, model: ModelDefinition, data: str) -> str:
    """What a checkpoint belongs to: this model in this pipeline on these data."""
    said = definition.model_dump(mode="json", exclude={"name", "models", "baselines", "metrics", "promote", "keep"})
    return hashlib.sha256(json.dumps([said, model.model_dump(mode="json"), data]).encode()).hexdigest()


def _forget(checkpoints: Path) -> None:
    for file in checkpoints.glob("*.npz"):
        file.unlink()
    if checkpoints.is_dir():
        checkpoints.rmdir()
