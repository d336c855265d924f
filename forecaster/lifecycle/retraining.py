"""Retraining: the data are read again, a challenger is trained, and the rule decides whether it is published."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from forecaster.config import PipelineDefinition, Project
from forecaster.errors import DataError, DefinitionError, ParityError
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.symbols import SymbolForecaster
from forecaster.lifecycle.champions import whole_champion
from forecaster.lifecycle.drift import drift_of, judged_by
from forecaster.lifecycle.promotion import CHAMPION, Decision, decide, too_few
from forecaster.lifecycle.recurrence import learnt_before
from forecaster.lifecycle.result import RetrainResult
from forecaster.lifecycle.rolling import beside, rolled
from forecaster.lifecycle.soundness import fault_of, fault_of_symbols
from forecaster.pipeline.checkpoints import forget
from forecaster.pipeline.comparable import refuse_incomparable
from forecaster.pipeline.contest import Contest, hold_contest, losses_of, overlap, refitted
from forecaster.pipeline.groups import refuse_groups, refuse_namesake
from forecaster.pipeline.inspection import look_inside
from forecaster.pipeline.listener import Listener
from forecaster.pipeline.preparation import Prepared, prepare
from forecaster.pipeline.publication import draft_of, exported
from forecaster.pipeline.reach import after
from forecaster.pipeline.result import judge, records
from forecaster.pipeline.warm import begin
from forecaster.series import data_hash
from forecaster.series.source import load
from forecaster.store import ManifestDraft, Store, Version

__all__ = ["RetrainResult", "retrain"]


def retrain(
    definition: PipelineDefinition,
    project: Project,
    *,
    base: Path,
    offline: bool = False,
    listener: Listener | None = None,
    only_on_drift: bool = False,
) -> RetrainResult:
    """Trains a challenger on the data as they are now and promotes it if the rule says so.

    It may be killed at any point and started again: what is published is the old champion or the new one, whole, and
    a fit goes on from its checkpoint.

    Args:
        definition: The pipeline, with a name.
        project: Where model files and the store lie.
        base: Folder of the pipeline file, for relative paths.
        offline: Whether to take tickers from their last snapshots, without the network.
        listener: Who is told.
        only_on_drift: Whether nothing is to be fitted unless errors or inputs have drifted; a first network is.

    Returns:
        The outcome. A challenger that loses is kept in the store, if it is sound.

    Raises:
        ForecasterError: With cause and remedy, whatever went wrong.
    """
    began, store, name = time.monotonic(), Store(project.store), str(definition.name)
    refuse_incomparable(definition)
    store.sweep()
    champion = whole_champion(store, name)
    if champion:
        refuse_namesake(definition, champion.manifest)
    panel = load(definition.data, base, project.root, offline)
    refuse_groups(definition)
    found = data_hash(panel)
    scores = {"champion": champion.number if champion else None}
    result = RetrainResult("up to date", "", None, None, scores, found, 0.0)
    if why := learnt_before(store, definition, champion.manifest if champion else None, found):
        return replace(result, reason=why, seconds=time.monotonic() - began)
    # the network that forecasts the test part is to be the one that is published
    definition = definition.model_copy(update={"backtest": definition.backtest.model_copy(update={"refit": False})})
    prepared = prepare(definition, project, base, panel, offline=offline)
    prepared, warm = begin(definition, prepared, store)
    listener = listener or Listener()
    listener.read(prepared.panel.notes, prepared.inferred)
    duel = _Duel(definition, prepared, champion) if champion else None
    if duel:
        result = replace(result, drift=drift_of(judged_by(store, duel.champion.manifest), prepared, duel.frame))
    blind = bool(only_on_drift and result.drift.get("unknown"))
    if duel and only_on_drift and not blind and not result.drift["drifted"]:
        why = f"not fitted, since nothing has drifted: {result.drift['reason']}"
        return replace(result, reason=why, seconds=time.monotonic() - began)
    if duel and CHAMPION in definition.promote.beat and duel.cutoffs < definition.promote.min_windows:
        why = too_few(duel.cutoffs, definition.promote.min_windows)
        seconds = time.monotonic() - began
        return replace(result, outcome="not enough new data", reason=why, seconds=seconds)
    checkpoints = project.store / ".checkpoints" / name
    contest = hold_contest(definition, prepared, listener, checkpoints, resume=True, warm=warm)
    result = _Settlement(store, definition, prepared, base, contest, duel, result).settled()
    forget(checkpoints)
    if blind:
        result = replace(result, reason=f"{result.reason}; fitted without drift: {result.drift['reason']}")
    return replace(result, seconds=time.monotonic() - began)


@dataclass(frozen=True)
class _Duel:
    """The champion on the cutoffs that neither it nor the challenger has seen."""

    definition: PipelineDefinition
    prepared: Prepared
    champion: Version

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Its forecasts of the test part."""
        return rolled(self.champion, self.definition, self.prepared)

    @cached_property
    def unseen(self) -> pd.Series:
        """Which rows of the test part lie after all that the champion has seen in training or validation."""
        training = self.champion.manifest.training
        if not training:
            raise DefinitionError(
                f"{self.champion.name}: the manifest of version {self.champion.number} does not say how far its "
                "training data reach; publish the pipeline once with forecaster run"
            )
        return pd.Series(after(self.frame, self.prepared.panel, training["until"]), index=self.frame.index)

    @property
    def cutoffs(self) -> int:
        """How many of them there are with values to compare losses by.

        Raises:
            DataError: There are some, and none with a scale for MASE.
        """
        fresh = self.frame[self.unseen]
        if fresh["y"].isna().all():
            return 0
        count = len(losses_of(fresh, self.definition, self.prepared))
        if not count:
            raise DataError(
                f"{self.champion.name}: no series has a scale for MASE (constant in the fitting part, or shorter than "
                "a season), so champion and challenger cannot be compared; write `promote: {metric: smape}`, or rmse"
            )
        return count

    def losses(self, contest: Contest) -> pd.DataFrame:
        """Of challenger and champion there, a row a cutoff."""
        both = beside(contest.forecasts, contest.chosen, self.frame, self.champion.manifest.model, CHAMPION)
        return losses_of(both[self.unseen.to_numpy()], self.definition, self.prepared)


@dataclass(frozen=True)
class _Settlement:
    """What becomes of a run's winner."""

    store: Store
    definition: PipelineDefinition
    prepared: Prepared
    base: Path
    contest: Contest
    duel: _Duel | None
    result: RetrainResult

    def settled(self) -> RetrainResult:
        """Promotes the winner, or keeps it as a challenger."""
        definition, chosen = self.definition, self.contest.chosen
        course = self.contest.course(definition, self.prepared)
        fault = self._fault()
        if fault:
            reason = f"{chosen} is not sound: {fault}; {self._stays}"
            return replace(self.result, outcome="kept", reason=reason, scores=self._scores(None))
        duel = self.duel.losses(self.contest) if self.duel else None
        decision = decide(chosen, course, duel, definition.promote, overlap(definition, self.prepared))
        result = replace(
            self.result, outcome=decision.outcome, reason=decision.reason, p=decision.p, scores=self._scores(decision)
        )
        try:
            return self._stored(result, decision, course[chosen].to_list())
        except ParityError as error:
            return replace(result, outcome="kept", reason=f"{error}; {self._stays}")

    def _fault(self) -> str | None:
        contest, fitting = self.contest, self.prepared.fitting
        if isinstance(contest.winner, SymbolForecaster):
            return fault_of_symbols(contest.forecasts, contest.chosen, contest.winner.probabilities(fitting))
        return fault_of(contest.forecasts, contest.chosen, self.definition.levels, fitting)

    @property
    def _stays(self) -> str:
        return f"version {self.duel.champion.number} stays" if self.duel else "nothing was published"

    def _scores(self, decision: Decision | None) -> dict[str, Any]:
        compared = [one.to_dict() for one in decision.comparisons] if decision else []
        return {
            "champion": self.duel.champion.number if self.duel else None,
            "metric": self.definition.promote.metric,
            "test": records(self.contest.table),
            "comparisons": compared,
        }

    def _stored(self, result: RetrainResult, decision: Decision, losses: list[float]) -> RetrainResult:
        name, promoted = str(self.definition.name), decision.outcome == "promoted"
        winner = refitted(self.definition, self.prepared, self.contest.winner) if promoted else self.contest.winner
        draft = self._draft(winner, result, losses, promoted and self.definition.promote.refit)
        inside = look_inside(winner, self.definition, self.prepared.panel)
        with exported(self.store, self.definition, self.prepared, winner, draft, inside) as staging:
            if promoted:
                version = self.store.publish(staging, draft, over=self.duel.champion.number if self.duel else 0)
                self.store.prune(name, self.definition.keep)
                return replace(result, version=version.number)
            challenger = self.store.challengers.keep(staging, draft)
        self.store.challengers.prune(name, self.definition.keep)
        reason = f"{result.reason}; {self._stays}"
        return replace(result, reason=reason, scores={**result.scores, "challenger": challenger.number})

    def _draft(
        self, winner: RecurrentForecaster, result: RetrainResult, losses: list[float], twin: bool
    ) -> ManifestDraft:
        promote = self.definition.promote
        gate = judge(
            self.contest.table, self.contest.chosen, promote.metric, promote.significance, self.contest.origins,
            self.prepared.season,
        )  # fmt: skip
        told = {**vars(gate), "verdict": f"{gate.verdict} Retrained: {result.reason}."}
        promotion = {"outcome": result.outcome, "p": result.p, "champion": result.scores["champion"]}
        return draft_of(
            self.definition, self.prepared, winner, {**told, "promotion": promotion}, result.scores, self.base,
            losses, twin,
        )  # fmt: skip
