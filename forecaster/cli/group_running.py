"""`run` and `backtest` of a pipeline whose series are split into groups: a line a group, then all of them together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
from rich.text import Text

from forecaster.cli.console import console, failure
from forecaster.cli.running import Display, resumable, stoppable
from forecaster.cli.tables import leaderboard_table, whole
from forecaster.config import PipelineDefinition, Project
from forecaster.config.schedule import DaskDefinition
from forecaster.errors import GroupsError, Interrupted
from forecaster.pipeline import Listener, RunResult
from forecaster.pipeline import run as run_job
from forecaster.pipeline.group_run import GroupOutcome, GroupsResult, Work, one_by_one, run_groups

__all__ = ["run_split"]


def run_split(
    definition: PipelineDefinition,
    pipeline: Path,
    project: Project,
    as_json: bool,
    *,
    resume: bool,
    force: bool,
    publishing: bool,
    workers: int = 1,
) -> bool:
    """Runs a pipeline group by group and prints what came out; each group has a report of its own.

    With one worker on this machine the groups are run here; with more, or on a cluster, by workers.

    Returns:
        Whether the chosen networks beat the naive forecasts in every group.

    Raises:
        GroupsError: Some groups could not be fitted; the others are done.
    """
    asked = _Asked(project, pipeline, publishing, force, resume)
    here = workers == 1 and definition.executor == "local"
    work = asked.work_here() if here else asked.work_elsewhere(definition.executor, workers)
    with resumable(pipeline, publishing, {"--force": force}), work as doing:
        result = run_groups(
            definition, project, pipeline.parent, doing, publishing=publishing, force=force, resume=resume,
            told=_silent if as_json else partial(_say, metric=definition.promote.metric),
        )  # fmt: skip
    if as_json:
        print(result.to_json())  # noqa: T201 - one JSON object, untouched by the console's wrapping
    else:
        _show(result, publishing)
    if result.exit_code:
        failed = ", ".join(group.name for group in result.groups if group.error)
        raise GroupsError(f"{definition.name}: these groups failed: {failed}; go on with --resume", result.exit_code)
    return result.passed


@dataclass(frozen=True)
class _Asked:
    """What was typed, and the two ways of doing it."""

    project: Project
    pipeline: Path
    publishing: bool
    force: bool
    resume: bool

    @contextmanager
    def work_here(self) -> Iterator[Work]:
        """One group after the other, each with its progress; the first Ctrl-C ends it at its next step."""

        def fit(member: PipelineDefinition) -> RunResult:
            report = self._reports / f"{member.name}.html" if self._reports else None
            with Display(quiet=True, passing=True) as display:
                listener = Listener(display.read, display.begin, display.progress, stop.asked)
                return run_job(
                    member, self.project, base=self.pipeline.parent, publishing=self.publishing, force=self.force,
                    resume=self.resume, report=report, listener=listener,
                )  # fmt: skip

        with stoppable() as stop:
            yield one_by_one(fit)

    @contextmanager
    def work_elsewhere(self, place: str | DaskDefinition, workers: int) -> Iterator[Work]:
        """By workers, which Ctrl-C ends at once; their checkpoints stay."""
        from forecaster.lifecycle.coordination import executor_for
        from forecaster.lifecycle.group_work import GroupWork

        try:
            yield GroupWork(
                self.project, self.pipeline.parent, lambda: executor_for(place, workers), publishing=self.publishing,
                force=self.force, reports=self._reports,
            )  # fmt: skip
        except KeyboardInterrupt:
            raise Interrupted("ended; the groups that are done are kept") from None

    @property
    def _reports(self) -> Path | None:
        return self.project.models / "reports" if self.publishing else None


def _say(outcome: GroupOutcome, done: int, count: int, metric: str) -> None:
    """One line of a group's end."""
    line = Text(f"{done}/{count}  {outcome.name}  ", "bold")
    if outcome.result is None:
        failure(f"{outcome.name}: {outcome.error}")
        return
    gate = outcome.result["gate"]
    rows = {row["model"]: row[metric] for row in outcome.result["leaderboard"]}
    told = f"{outcome.series:,} series  {gate['model']} {_number(rows[gate['model']])}, {gate['best_naive']} "
    line.append(f"{told}{_number(rows[gate['best_naive']])} ({metric.upper()})")
    if outcome.version:
        line.append(f"  published as version {outcome.version}", "green")
    console.print(line, soft_wrap=True)


def _silent(outcome: GroupOutcome, done: int, count: int) -> None:
    """The JSON says it at the end."""


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _show(result: GroupsResult, publishing: bool) -> None:
    board = result.leaderboard.assign(published=False, significant=False)
    if len(board):
        whole(leaderboard_table(board.where(pd.notna(board), float("nan"))), console)
    done = [group for group in result.groups if group.result]
    passed = sum(group.passed for group in done)
    significant = sum(bool(group.result and group.result["gate"]["significant"]) for group in done)
    said = f"In {passed} of {len(done)} groups the chosen network beats the naive forecasts, in {significant} of them "
    said += "significantly. `chosen` are these networks together; scores are means over all series."
    if publishing:
        said += f" {sum(bool(group.version) for group in done)} of {len(result.groups)} groups were published."
    console.print(f"\n{said}\n", markup=False, soft_wrap=True)
    console.print(f"Took        {result.seconds:.0f} s")
