"""`run` and `backtest` of a pipeline whose series are split into groups: a line a group, then all of them together."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd
from rich.text import Text

from forecaster.cli.console import console, failure
from forecaster.cli.running import Display, stoppable
from forecaster.cli.tables import leaderboard_table
from forecaster.config import PipelineDefinition, Project
from forecaster.errors import GroupsError, Interrupted
from forecaster.pipeline import Listener, RunResult
from forecaster.pipeline import run as run_job
from forecaster.pipeline.group_run import GroupOutcome, GroupsResult, run_groups

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
) -> bool:
    """Runs a pipeline group by group and prints what came out; each group has a report of its own.

    Returns:
        Whether the chosen networks beat the naive forecasts in every group.

    Raises:
        GroupsError: Some groups could not be fitted; the others are done.
    """

    def fit(member: PipelineDefinition) -> RunResult:
        report = project.models / "reports" / f"{member.name}.html" if publishing else None
        with Display(quiet=True, passing=True) as display:
            listener = Listener(display.read, display.begin, display.progress, stop.asked)
            return run_job(
                member, project, base=pipeline.parent, publishing=publishing, force=force, resume=resume,
                report=report, listener=listener,
            )  # fmt: skip

    with stoppable() as stop:
        try:
            result = run_groups(
                definition, project, pipeline.parent, fit, resume=resume,
                told=_silent if as_json else partial(_say, metric=definition.promote.metric),
            )  # fmt: skip
        except Interrupted as interruption:
            command = "run" if publishing else "backtest"
            raise Interrupted(f"{interruption}; go on with: forecaster {command} {pipeline} --resume") from None
    if as_json:
        print(result.to_json())  # noqa: T201 - one JSON object, untouched by the console's wrapping
    else:
        _show(result, publishing)
    if result.exit_code:
        failed = ", ".join(group.name for group in result.groups if group.error)
        raise GroupsError(f"{definition.name}: these groups failed: {failed}; go on with --resume", result.exit_code)
    return result.passed


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
        console.print(leaderboard_table(board.where(pd.notna(board), float("nan"))))
    done = [group for group in result.groups if group.result]
    passed = sum(group.passed for group in done)
    significant = sum(bool(group.result and group.result["gate"]["significant"]) for group in done)
    said = f"In {passed} of {len(done)} groups the chosen network beats the naive forecasts, in {significant} of them "
    said += "significantly. `chosen` are these networks together; scores are means over all series."
    if publishing:
        said += f" {sum(bool(group.version) for group in done)} of {len(result.groups)} groups were published."
    console.print(f"\n{said}\n", markup=False, soft_wrap=True)
    console.print(f"Took        {result.seconds:.0f} s")
