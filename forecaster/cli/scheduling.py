"""`schedule`: retraining as long as the program runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from forecaster.cli.console import console
from forecaster.cli.retraining import ended_by_signals
from forecaster.config import Project
from forecaster.lifecycle.due import find_pipelines
from forecaster.lifecycle.schedule import Scheduler, only_one
from forecaster.store.ledger import Ledger

__all__ = ["keep_schedule"]


def keep_schedule(
    given: Sequence[str], project: Path | None, *, workers: int, offline: bool, ledger: str | None
) -> None:
    """Keeps the schedules of some pipeline files until Ctrl-C or SIGTERM; both are a good end."""
    found = Project.find(project)
    find_pipelines(given, found)
    if ledger:
        os.environ["FORECASTER_LEDGER"] = ledger
    Ledger(found.store).close()  # what is wrong with it is told now, not at three in the morning

    def command(path: Path) -> list[str]:
        start = [sys.executable, "-m", "forecaster", "--project", str(found.root), "retrain", str(path)]
        return [*start, "--due", "--once", "--json", *(["--offline"] if offline else [])]

    with ended_by_signals(), only_one(found.store):
        try:
            Scheduler(found, given, command, workers=workers, told=_say).run()
        except KeyboardInterrupt:
            _say("ended; what was being retrained is taken up again by the next start")


def _say(text: str) -> None:
    console.print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}  {text}", markup=False, soft_wrap=True)
    console.file.flush()
