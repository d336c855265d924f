"""A check as tables for people and as plain data for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from forecaster.cli.cautions import cautions
from forecaster.cli.console import console, messages
from forecaster.cli.findings import account_data, facts, worst_series
from forecaster.cli.tables import facts_table
from forecaster.config import PipelineDefinition
from forecaster.errors import ForecasterError
from forecaster.series.account import Account
from forecaster.series.stamps import say_stamp
from forecaster.words import plural

__all__ = ["Check", "check_data", "show_check"]

MOST_COLUMNS = 20


@dataclass
class Check:
    """A check as far as it got.

    Attributes:
        source: What was checked.
        guessed: What was guessed about the columns, and the horizon.
        columns: What the columns of a file hold.
        rough: A first look, where the data were refused.
        account: None where the data were refused.
        definition: The pipeline, or the one to start from.
        inferred: What a run would take for every default.
        problems: Why there can be no run.
        error: Why the data were refused.
    """

    source: str
    guessed: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    rough: dict[str, str] = field(default_factory=dict)
    account: Account | None = None
    definition: PipelineDefinition | None = None
    inferred: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    error: ForecasterError | None = None


def check_data(result: Check, text: str) -> dict[str, Any]:
    """The check for programs."""
    account = result.account
    return {
        "source": result.source,
        "ok": result.error is None and not result.problems,
        "error": str(result.error) if result.error else None,
        "problems": result.problems,
        "guessed": result.guessed,
        "columns": result.columns,
        "facts": facts(account) if account else result.rough,
        "account": account_data(account) if account else None,
        "cautions": cautions(account) if account else [],
        "horizon": result.definition.horizon if result.definition else None,
        "inferred": result.inferred,
        "pipeline": text or None,
    }


def show_check(result: Check) -> None:
    """Prints a check as far as it got; problems go to standard error."""
    if result.guessed:
        _section("Guessed, for this account only", result.guessed)
    if result.account is None:
        _section("Columns", _first(result.columns))
        _section("A first look", result.rough)
        return
    account = result.account
    _section("The data", facts(account))
    if len(account.panel) > 1:
        console.print(_series_table(account))
        console.print()
    if told := cautions(account):
        console.print("[bold]Worth a look[/]")
        for caution in told:
            console.print(Text(f"• {caution}"), soft_wrap=False)
        console.print()
    if result.inferred and result.definition:
        _section(f"A run with a horizon of {plural(result.definition.horizon, 'step')}", result.inferred)
    for problem in result.problems:
        messages.print(Text.assemble(("cannot run: ", "bold red"), problem), soft_wrap=True)


def _first(columns: Mapping[str, str]) -> dict[str, str]:
    """At most so many that a screen holds them; JSON has all."""
    more = {"…": f"and {plural(len(columns) - MOST_COLUMNS, 'column')} more"} if len(columns) > MOST_COLUMNS else {}
    return {**dict(islice(columns.items(), MOST_COLUMNS)), **more}


def _section(title: str, rows: Mapping[str, str]) -> None:
    if rows:
        console.print(f"[bold]{title}[/]")
        console.print(facts_table({}, rows))
        console.print()


def _series_table(account: Account) -> Table:
    """The oddest series; where none is odd, the first."""
    chosen = worst_series(account, 5)
    odd = len(chosen) > 0
    chosen = chosen if odd else np.arange(min(5, len(account.panel)))
    table = Table(title="The oddest series" if odd else "Series", title_justify="left", box=None, pad_edge=False)
    table.add_column("", overflow="fold")
    numbers = not account.panel.symbols
    for heading in ("from", "steps", "missing", "equal", *(("outliers", "mean") if numbers else ())):
        table.add_column(heading, justify="right", no_wrap=True)
    equal = account.constants.longest_by_series(len(account.panel))
    for one in chosen:
        told = [say_stamp(account.stamp(int(one), 0)), f"{account.lengths[one]:,}", f"{account.missing[one]:,}"]
        told.append(f"{equal[one]:,}")
        if numbers:
            told += [f"{(account.outliers.series == one).sum():,}", f"{account.means[one]:,.4g}"]
        table.add_row(Text(str(account.panel.ids[one])), *told)
    return table
