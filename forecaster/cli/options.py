"""Arguments and options that several commands share, or that belong together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Beam", "Begin", "GroupsAtOnce", "Json", "LedgerAt", "Length", "Offline",
    "Pipeline", "Resume", "Samples", "Seed", "Temperature", "Until", "Workers",
]  # fmt: skip

Pipeline = Annotated[Path, typer.Argument(metavar="PIPELINE.yaml", help="The pipeline file.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
Offline = Annotated[
    bool, typer.Option("--offline", help="Take tickers from their last good snapshot, without the network.")
]
LedgerAt = Annotated[
    str | None,
    typer.Option(
        "--ledger", help="SQLAlchemy URL or SQLite file; else FORECASTER_LEDGER, else models/store/ledger.sqlite.",
        show_default=False,
    ),
]  # fmt: skip
Workers = Annotated[int, typer.Option(min=1, help="Retrainings at once on this machine.")]
GroupsAtOnce = Annotated[
    int,
    typer.Option("--workers", min=1, help="Groups of series, or folds of a backtest with refit, at once."),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the checkpoints of an interrupted run.")]

Begin = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Of symbols: make up what follows this.", show_default=False)
]
Length = Annotated[int | None, typer.Option(help="Symbols to make up, 200 by default.", show_default=False)]
Until = Annotated[str | None, typer.Option(metavar="SYMBOL", help="End behind it.", show_default=False)]
Samples = Annotated[int | None, typer.Option(help="How many to draw, 1 by default.", show_default=False)]
Temperature = Annotated[
    float | None, typer.Option(help="Of the draws, 1 by default; 0 takes the likeliest.", show_default=False)
]
Beam = Annotated[
    int | None, typer.Option(help="Search the likeliest ones, keeping so many; 1: greedy.", show_default=False)
]
Seed = Annotated[int | None, typer.Option(help="Of the draws, 1 by default.", show_default=False)]
