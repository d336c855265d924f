"""Tables for the terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
from rich.console import Console
from rich.measure import Measurement
from rich.segment import Segments
from rich.table import Table
from rich.text import Text

from forecaster.scores import LABELS, share_of_size

__all__ = ["apart_table", "facts_table", "leaderboard_table", "whole"]

WIDEST = 1000
"""Columns of a terminal that are more than any table needs."""

HIDDEN = ("model", "kind", "significant", "published", "direction-lo", "direction-hi")
"""Columns of the leaderboard that are no columns of the table."""


def facts_table(facts: Mapping[str, Any], inferred: Mapping[str, str]) -> Table:
    """What was read, and what was filled in."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in (*facts.items(), *inferred.items()):
        table.add_row(Text(str(name)), Text(str(value)))
    return table


def leaderboard_table(board: pd.DataFrame) -> Table:
    """The leaderboard, best first; naive forecasts are dim, the published network is marked.

    It fits into 80 columns where names are not long; else it is to be printed as wide as it is: see `whole`.
    """
    table = Table(title="Test part", title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("  model", no_wrap=True)
    shown = [name for name in board.columns if name not in HIDDEN]
    for name in shown:
        table.add_column(_heading(name), justify="right", no_wrap=True)
    for _, row in board.iterrows():
        model = Text.assemble(("★ " if row["published"] else "  ", "green"), str(row["model"]))
        style = {"naive": "dim", "network": "bold"}.get(row["kind"], "")
        cells = [_format(name)(row[name]) for name in shown]
        if "p" in shown and row["significant"]:
            cells[shown.index("p")] += "*"
        table.add_row(model, *cells, style=style)
    rival = "n-gram" if "log_loss" in board else "naive"
    marks = "★ published   * significantly better than every naive forecast   " if "p" in shown else ""
    table.caption = f"{marks}skill: against the best {rival}{_coverages(shown)}{_directions(board)}"
    table.caption_justify = "left"
    return table


def whole(table: Table, on: Console) -> None:
    """Prints a table as wide as it is, rather than with cells cut off, where the terminal is narrower."""
    needed = Measurement.get(on, on.options.update(max_width=WIDEST), table).maximum
    wide = on.options.update(width=max(needed, on.width))
    on.print(Segments(on.render(table, wide)), end="", crop=False, no_wrap=True, overflow="ignore")


def apart_table(apart: pd.DataFrame) -> Table:
    """Scores of series that networks knew little of, a row a kind of series."""
    title = f"Series apart, by {_heading(str(apart['metric'].iloc[0]))}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("series that are", overflow="fold")
    counts, score = ("series", "forecasts"), _format(str(apart["metric"].iloc[0]))
    models = [str(name) for name in apart.columns if name not in ("kind", "metric", *counts)]
    for name in (*counts, *models):
        table.add_column(name, justify="right", overflow="fold")
    for _, row in apart.iterrows():
        table.add_row(str(row["kind"]), *(f"{row[name]:,}" for name in counts), *(score(row[name]) for name in models))
    return table


def _coverages(shown: Sequence[str]) -> str:
    """What the columns are that are named by a level."""
    levels = [_heading(name) for name in shown if name.startswith("coverage-")]
    return f"\n{', '.join(levels)}: share of the values inside these intervals, mean of the series" if levels else ""


def _directions(board: pd.DataFrame) -> str:
    """The networks' directional accuracy with its interval, and what that is."""
    if "direction" not in board:
        return ""
    told = [
        f"{row['model']} {row['direction']:.0%} [{row['direction-lo']:.0%}, {row['direction-hi']:.0%}]"
        for _, row in board[board["kind"] == "network"].iterrows()
        if math.isfinite(row["direction"])
    ]
    return (
        "\nright: share of the forecasts with the sign of the change at the last step right; a coin has 50%. "
        f"Wilson's 95% intervals, each forecast origin counted once: {', '.join(told)}"
    )


def _heading(name: str) -> str:
    short = {
        "log_loss": "log loss",
        "top_3": "top 3",
        "perplexity": "perpl.",
        "seconds": "fit s",
        "validation": "valid.",
        "direction": "right",
    }
    if name in ("mase", "smape", "rmse", "wql"):
        return LABELS[name]
    return short.get(name, name.removeprefix("coverage-") + ("%" if name.startswith("coverage-") else ""))


def _format(name: str) -> Callable[[float], str]:
    def show(value: float) -> str:
        if not math.isfinite(value):
            return ""
        if name == "skill":
            return f"{value:.0%}" if value > -9.995 else "<-999%"
        if name.startswith(("coverage", "direction")):
            return f"{value:.0%}"
        if name == "wql":
            return share_of_size(value, unit="%")
        if name == "p":
            return f"{value:.3f}" if value >= 0.001 else "<.001"
        return {"seconds": f"{value:.1f}", "smape": f"{value:.2f}"}.get(name, _short(value))

    return show


def _short(value: float) -> str:
    """At most four digits behind each other where that is enough."""
    if 0 < abs(value) < 0.001 or abs(value) >= 1e9:
        return f"{value:.3e}"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.0f}"
