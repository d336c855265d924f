"""What is told of a retraining: to people, to programs, and to whoever must hear of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from forecaster.config import Project
from forecaster.lifecycle.notifications import Event, notify
from forecaster.store.ledger_records import Refusal, Run

__all__ = ["Report", "announce", "ended", "refused"]


@dataclass(frozen=True)
class Report:
    """The end of an attempt, or why there was none.

    Attributes:
        pipeline: Which pipeline (its file, where that cannot be read).
        text: In plain words.
        exit_code: 0 done; 2 bad input; 3 a fault.
        run: As it stands in the ledger now; None where there is none.
        again: When it is to be looked at again, if it is.
    """

    pipeline: str
    text: str
    exit_code: int = 0
    run: Run | None = None
    again: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "pipeline": self.pipeline,
            "text": self.text,
            "exit_code": self.exit_code,
            "again": self.again.isoformat() if self.again else None,
            "run": self.run.to_dict() if self.run else None,
        }


def refused(pipeline: str, refusal: Refusal, run: Run | None) -> Report:
    """A report of a claim that could not be had."""
    if refusal.lease:
        told = f"is being retrained by {refusal.lease.owner} already"
    elif refusal.until:
        told = f"waits for its next attempt, at {refusal.until:%Y-%m-%d %H:%M:%S} UTC"
    else:
        why = f": {run.reason}" if run and run.reason else ""
        told = f"has been retrained for this slot already{why}"
    return Report(pipeline, told, run=run, again=refusal.until)


def ended(run: Run) -> Report:
    """A report of a run that was ended by another process than the one that worked on it, or for want of time."""
    return Report(run.pipeline, str(run.reason), 3 if run.state == "failed" else 0, run)


def announce(report: Report, project: Project) -> None:
    """Tells whoever is to be told: of a run that was given up, of slots that were missed, of drift, of a promotion.

    It is called once for each end of a run: by the process that has written it into the ledger.
    """
    run = report.run
    if run is None or run.state not in ("done", "failed"):
        return
    if run.missed:
        at_least = "at least " if run.missed >= 1000 else ""
        told = (
            f"{at_least}{run.missed} slots before {run.slot:%Y-%m-%d %H:%M} UTC were missed; this run makes up for them"
        )
        notify(Event("missed", run.pipeline, told, run.to_dict()), project)
    if run.state == "failed":
        notify(Event("failure", run.pipeline, report.text, run.to_dict()), project)
    if run.drift and run.drift.get("drifted"):
        notify(Event("drift", run.pipeline, str(run.drift.get("reason", "drift was found")), run.to_dict()), project)
    if run.outcome == "promoted":
        notify(Event("promotion", run.pipeline, str(run.reason), run.to_dict()), project)
