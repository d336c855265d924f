"""One run: load, backtest, choose, judge, publish, report."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from forecaster.config import PipelineDefinition, Project
from forecaster.errors import StoreError
from forecaster.evaluation import scales
from forecaster.evaluation.metrics import counted
from forecaster.forecasting.clipping import clipping
from forecaster.pipeline.checkpoints import forget
from forecaster.pipeline.contest import hold_contest, refitted
from forecaster.pipeline.folds import FoldWork
from forecaster.pipeline.groups import refuse_groups, refuse_namesake
from forecaster.pipeline.inspection import Insides
from forecaster.pipeline.listener import Listener
from forecaster.pipeline.preparation import prepare
from forecaster.pipeline.pruning import prune
from forecaster.pipeline.publication import publish
from forecaster.pipeline.result import Gate, RunResult, judge, records
from forecaster.pipeline.warm import begin
from forecaster.store import Store

__all__ = ["run"]

logger = logging.getLogger(__name__)


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
    folds: FoldWork | None = None,
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
        folds: Who fits the networks of a backtest with `refit`; None for this process.

    Raises:
        ForecasterError: With cause and remedy, whatever went wrong.
    """
    began = time.monotonic()
    refuse_groups(definition)
    listener, base = listener or Listener(), base or Path()
    store = Store(project.store)
    if publishing:
        with suppress(StoreError):  # nothing is published yet, or its manifest is damaged
            refuse_namesake(definition, store.manifest(str(definition.name)))
    prepared = prepare(definition, project, base, offline=offline)
    prepared, warm = begin(definition, prepared, store)
    listener.read(prepared.panel.notes, prepared.inferred)
    for name, value in (*prepared.panel.notes.items(), *prepared.inferred.items()):
        logger.debug("%s: %s", name, value)
    checkpoints = project.store / ".checkpoints" / str(definition.name)
    contest = hold_contest(
        definition, prepared, listener, checkpoints, resume=resume, warm=warm, folds=folds
    )  # fmt: skip
    table, chosen = contest.table, contest.chosen
    promote = definition.promote
    gate = judge(table, chosen, promote.metric, promote.significance, contest.origins, prepared.season)
    version, insides = None, Insides(definition, prepared.panel)
    if publishing and (gate.passed or force):
        winner = refitted(definition, prepared, contest.winner)
        scores = {"test": records(table)}
        losses = contest.course(definition, prepared)[chosen].tolist()
        version = publish(store, definition, prepared, winner, gate, scores, base, losses, insides.of(winner))
        prune(definition, project, store)
    gate = replace(gate, verdict=f"{gate.verdict} {_outcome(gate, definition, version, publishing)}")
    curves = {name: curve for one in contest.networks.values() for name, curve in one.curves.items()}
    table["published"] = (table["model"] == chosen) & (version is not None)
    result = RunResult(
        str(definition.name), prepared.panel.notes, prepared.inferred, table, gate, contest.forecasts,
        version.number if version else None, version.served if version else None,
        report, time.monotonic() - began,
        {name: words for name, curve in curves.items() if (words := clipping(curve))},
        {} if definition.symbolic else contest.lagged(prepared),
        pd.DataFrame() if definition.symbolic else contest.apart(definition, prepared, gate.best_naive),
        {} if definition.symbolic else counted(contest.forecasts, scales(prepared.fitting, prepared.season)),
    )  # fmt: skip
    if report:
        from forecaster.pipeline.document import write

        networks = sorted(contest.networks.values(), key=lambda network: network.name != gate.model)
        found = {network.name: insides.of(network) for network in networks}
        write(report, definition, prepared, result, curves, found)
    forget(checkpoints)
    return result


def _outcome(gate: Gate, definition: PipelineDefinition, version: Any, publishing: bool) -> str:
    if version is not None:
        forced = " although it did not pass, since --force was given" if not gate.passed else ""
        twin = ", fitted once more on all data" if definition.promote.refit else ""
        return f"Published as {definition.name} version {version.number}{twin}{forced}."
    if not publishing:
        return "This was a backtest: nothing was published."
    return "Nothing was published (--force publishes all the same)."
