"""`retrain`: what is due, or what is asked for; and what came of it."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from rich.text import Text

from forecaster.cli.console import console
from forecaster.config import Project
from forecaster.config.cron import Cron
from forecaster.errors import DefinitionError, ForecasterError
from forecaster.lifecycle.coordination import Coordinator
from forecaster.lifecycle.due import Job, Pipeline, by_group, due, find_pipelines, read_pipelines
from forecaster.lifecycle.report import Report
from forecaster.store.ledger import Ledger

__all__ = ["ended_by_signals", "retrain_pipelines"]


def retrain_pipelines(
    given: Sequence[str],
    project: Path | None,
    as_json: bool,
    *,
    only_due: bool,
    once: bool,
    workers: int,
    offline: bool,
    ledger: str | None,
) -> int:
    """Retrains pipelines, and prints what came of each.

    Returns:
        The worst of their exit codes.
    """
    if not given and not only_due:
        raise DefinitionError("retrain: name pipelines (files, or names in pipelines/), or write --due for what is due")
    found = Project.find(project)
    pipelines, broken = read_pipelines(find_pipelines(given, found))
    if only_due and given:
        _must_have_schedules(pipelines)
    told = _silent if as_json else _say
    reports: dict[str, Report] = {}
    _leave_out(broken, reports, told)
    with ended_by_signals(), Ledger(found.store, ledger) as book:
        coordinator = Coordinator(found, book, workers, offline, told)
        if only_due:
            _all_due(coordinator, pipelines, once, reports)
        else:
            members, doubled = by_group(pipelines)
            _leave_out(doubled, reports, told)
            jobs = [Job(pipeline, book.clock(), "hand") for pipeline in members]
            reports |= {report.pipeline: report for report in coordinator.retrain(jobs)}
    _end(list(reports.values()), pipelines, as_json)
    return max((report.exit_code for report in reports.values()), default=0)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM ends the program as Ctrl-C does: what is being done is given back."""

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave_out(bad: Mapping[Path, ForecasterError], reports: dict[str, Report], told: Callable[[Report], None]) -> None:
    """Reports what is wrong with pipeline files, once each; the others are retrained."""
    for path, error in bad.items():
        if str(path) not in reports:
            reports[str(path)] = Report(path.stem, str(error), error.exit_code)
            told(reports[str(path)])


def _all_due(coordinator: Coordinator, pipelines: Sequence[Pipeline], once: bool, reports: dict[str, Report]) -> None:
    """What is due, again and again until nothing waits for another attempt; or one attempt each."""
    while True:
        now = coordinator.ledger.clock()
        scheduled, doubled = by_group([pipeline for pipeline in pipelines if pipeline.definition.schedule])
        _leave_out(doubled, reports, coordinator.told)
        jobs = [job for pipeline in scheduled if (job := due(pipeline, coordinator.ledger, now))]
        names = [pipeline.name for pipeline in (*pipelines, *scheduled)]
        told = coordinator.retrain(jobs, names)
        reports |= {str(report.run.id) if report.run else report.pipeline: report for report in told}
        waits = [report.again for report in told if report.again]
        if once or not waits:
            return
        time.sleep(max(1.0, (min(waits) - coordinator.ledger.clock()).total_seconds()))


def _must_have_schedules(pipelines: Sequence[Pipeline]) -> None:
    for pipeline in pipelines:
        if pipeline.definition.schedule is None:
            raise DefinitionError(
                f'{pipeline.path}: has no schedule, so it is never due; write schedule: "0 3 * * *", or leave --due out'
            )


def _end(reports: Sequence[Report], pipelines: Sequence[Pipeline], as_json: bool) -> None:
    again = min((report.again for report in reports if report.again), default=None)
    if as_json:
        told = {"runs": [report.to_dict() for report in reports], "again": again.isoformat() if again else None}
        print(json.dumps(told, indent=2))  # noqa: T201
    elif not reports:
        now = datetime.now(UTC)
        slots = [
            (Cron.parse(one.definition.schedule.cron).following(now), one.name)
            for one in pipelines
            if one.definition.schedule
        ]
        then = (
            f"the next is {min(slots)[1]} at {min(slots)[0]:%Y-%m-%d %H:%M} UTC"
            if slots
            else "no pipeline has a schedule"
        )
        console.print(f"nothing is due; {then}", markup=False, soft_wrap=True)


def _say(report: Report) -> None:
    line = Text(f"{report.pipeline}  ", "bold")
    state = report.run.outcome or report.run.state if report.run else ""
    if state:
        line.append(f"{state}  ", {"promoted": "green", "failed": "red", "waiting": "yellow"}.get(state, ""))
    line.append(report.text)
    if report.again and report.exit_code:
        line.append(f" (again at {report.again:%H:%M:%S} UTC)")
    console.print(line, soft_wrap=True)


def _silent(report: Report) -> None:
    """The JSON says it at the end."""
