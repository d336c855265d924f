"""`runs`: what the ledger holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.text import Text

from forecaster.cli.console import console
from forecaster.config import Project
from forecaster.errors import DefinitionError
from forecaster.store.ledger import Ledger
from forecaster.store.ledger_records import Run

__all__ = ["show_runs"]

STATES = ("running", "waiting", "done", "failed")


def show_runs(
    names: Sequence[str],
    project: Path | None,
    as_json: bool,
    *,
    state: str | None,
    outcome: str | None,
    since: str | None,
    limit: int,
    ledger: str | None,
) -> None:
    """Two lines a run, the newest first."""
    if state not in (None, *STATES):
        raise DefinitionError(f"--state {state!r} is unknown; write one of {', '.join(STATES)}")
    with Ledger(Project.find(project).store, ledger, reading=True) as book:
        found = book.runs(tuple(names), state=state, outcome=outcome, since=_moment(since), limit=limit)
        like = [] if found else _alike(names, book)
    if as_json:
        print(json.dumps([run.to_dict() for run in found], indent=2))  # noqa: T201
    elif found:
        for line in _lines(found):
            console.print(line)
    elif like:
        console.print(f"no such run; there are some of {', '.join(like)}", markup=False)
    else:
        console.print("no such run; forecaster retrain and forecaster schedule make them")


def _alike(names: Sequence[str], book: Ledger) -> list[str]:
    """Pipelines that have had runs lately and are called as groups of those are."""
    lately = {run.pipeline for run in book.runs()}
    return sorted(one for one in lately if any(one.startswith(f"{name}-") for name in names))


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DefinitionError(f"--since {text!r} is no time; write 2026-03-01 or 2026-03-01T03:00, in UTC") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _lines(found: Sequence[Run]) -> Iterator[Text]:
    """Two lines a run: what came of it, and why."""
    heads = ("due (UTC)", "pipeline", "outcome", "version", "p", "tries", "missed", "took")
    rows = [heads, *(_cells(run) for run in found)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(heads))]
    styles = {"promoted": "green", "failed": "red", "running": "cyan", "waiting": "yellow"}
    for run, row in zip((None, *found), rows, strict=True):
        line = Text(style="bold" if run is None else "")
        for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
            line.append(f"{cell:<{width}}  " if place < 3 else f"{cell:>{width}}  ", styles.get(cell, ""))
        line.rstrip()
        yield line
        if run is not None and (why := _why(run)):
            yield Text(f"  {why}", "dim")


def _cells(run: Run) -> tuple[str, ...]:
    return (
        f"{run.slot:%Y-%m-%d %H:%M}",
        run.pipeline,
        run.outcome or run.state,
        str(run.version or ""),
        "" if run.p is None else f"{run.p:.3f}" if run.p >= 0.001 else "<.001",
        f"{len(run.attempts)}/{run.allowed}" if run.cause == "schedule" else "by hand",
        str(run.missed or ""),
        _took(run.seconds),
    )


def _why(run: Run) -> str:
    if run.state == "waiting" and run.retry_at:
        return f"{run.reason or 'interrupted'} (again at {run.retry_at:%H:%M:%S})"
    if run.state == "running":
        return run.trouble or f"since {run.attempts[-1].began:%H:%M:%S} by {run.attempts[-1].owner}"
    return run.reason or ""


def _took(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"
