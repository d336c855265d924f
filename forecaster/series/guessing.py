"""Which column plays which part, where nobody has said it: a guess that is told, or an error that says what to write.

Used by `forecaster check` only. A run guesses no columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from forecaster.errors import DataError
from forecaster.series.columns import Columns
from forecaster.words import listed, plural

__all__ = ["Guess", "guess_columns", "guess_symbols"]

TIMES = (
    "ds",
    "date",
    "time",
    "timestamp",
    "datetime",
    "date_time",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "period",
)
WORKDAYS = 5
IDS = (
    "unique_id",
    "id",
    "series",
    "series_id",
    "item_id",
    "item",
    "ticker",
    "symbol",
    "store",
    "sensor",
    "name",
    "key",
)


@dataclass(frozen=True)
class Guess:
    """Columns, and how they were found.

    Attributes:
        columns: Every column of the table plays a part or is left out.
        reasons: What was guessed, and from what; empty where all was told.
    """

    columns: Columns
    reasons: dict[str, str]


def guess_columns(
    head: pd.DataFrame,
    given: Columns,
    told: Sequence[str],
    source: str,
    time_format: str | None = None,
    *,
    wide: bool = False,
) -> Guess:
    """Fills in the columns that were not told.

    Args:
        head: First rows of the table.
        given: What was told; the rest of it does not count.
        told: Which of `id`, `time` and `target` were told.
        source: What errors call the table.
        time_format: `strptime` format of the time stamps, where they are not ISO 8601.
        wide: Whether every column that plays no other part is a series.

    Raises:
        DataError: More than one column may be meant, or none; names them and the option to write.

    Example:
        >>> head = pd.DataFrame({"when": ["2024-01-01", "2024-01-02"], "load": [1.0, 2.0]})
        >>> guess = guess_columns(head, Columns(), [], "load.csv")
        >>> guess.columns.time, guess.columns.target, guess.reasons["time"]
        ('when', 'load', 'when (the only column of dates)')
    """
    head = head.set_axis([str(name) for name in head.columns], axis=1)
    parts = {"id": given.id, "time": given.time, "target": given.target}
    columns = given
    left = [name for name in head.columns if name not in {*columns.covariates, *columns.ignore}]
    left = [name for name in left if name not in [parts[part] for part in told]]
    reasons: dict[str, str] = {}
    if "time" not in told:
        time, reasons["time"] = _time(head, left, source, time_format)
        columns = replace(columns, time=time)
        left.remove(time)
    if wide:
        return Guess(columns, {**reasons, "series": f"{plural(len(left), 'column')}, all that are not told otherwise"})
    if "id" not in told:
        stamps = _stamps(head[columns.time], time_format) if columns.time in head else None
        free = [name for name in left if stamps is None or _called_id(name) or not _follows(head[name], stamps)]
        found = _id(head, free, columns.target if "target" in told else None, source)
        columns = replace(columns, id=found[0] if found else None)
        if found:
            reasons["id"] = found[1]
            left.remove(found[0])
    if "target" not in told:
        target, reasons["target"] = _target(head, left, source)
        columns = replace(columns, target=target)
        left.remove(target)
    if left:
        reasons["ignored"] = f"{listed(left)} (to use one, name it with --past, --known or --static)"
    return Guess(replace(columns, ignore=(*given.ignore, *left)), reasons)


def guess_symbols(cells: pd.Series[Any]) -> bool:
    """Whether a column that was told to be the target holds names that recur, and no numbers that are written oddly.

    Example:
        >>> guess_symbols(pd.Series(["home", "cart", "home", "home", "pay"])), guess_symbols(pd.Series(["1,5", "2,5"]))
        (True, False)
    """
    text = cells.dropna().astype(str).str.strip()
    if pd.api.types.is_numeric_dtype(cells) or _reads_as_dates(cells) or not len(text):
        return False
    return bool(text.str[:1].str.isalpha().mean() > 0.5 and 2 * text.nunique() <= len(text) + 1)


def _time(head: pd.DataFrame, left: Sequence[str], source: str, time_format: str | None) -> tuple[str, str]:
    dates = [name for name in left if _reads_as_dates(head[name], time_format)]
    named = [name for name in left if name.strip().lower() in TIMES]
    if len(dates) == 1:
        return dates[0], f"{dates[0]} (the only column of dates)"
    if dates:
        called = [name for name in dates if name in named]
        if len(called) == 1:
            return called[0], f"{called[0]} (a column of dates, by its name)"
        raise DataError(f"{source}: which column has the time? write --time with one of {listed(dates)}")
    whole = [name for name in left if pd.api.types.is_integer_dtype(head[name])]
    if len(named) == 1:
        kind = "whole numbers, by its name" if named[0] in whole else "by its name, though these are no ISO 8601 dates"
        return named[0], f"{named[0]} ({kind})"
    if not named and len(left) > 1 and whole and _counts_up(head[whole[0]]):
        return whole[0], f"{whole[0]} (whole numbers that go up evenly)"
    raise DataError(
        f"{source}: no column reads as time stamps; write --time with one of {listed(left) or 'its columns'}, and "
        '--time-format where they are not ISO 8601 (for instance "%d/%m/%Y")'
    )


def _id(head: pd.DataFrame, left: Sequence[str], target: str | None, source: str) -> tuple[str, str] | None:
    """The column that names the series; None where there seems to be one series."""
    words = [name for name in left if name != target and not _reads_as_numbers(head[name])]
    words = [name for name in words if not _reads_as_dates(head[name])]
    named = [name for name in left if _called_id(name)]
    if len(named) == 1:
        return named[0], f"{named[0]} (by its name)"
    if len(words) == 1 and not named:
        return words[0], f"{words[0]} (the only column of words)"
    if choice := named or words:
        raise DataError(
            f"{source}: which column names the series? write --id with one of {listed(choice)}, "
            f"and --ignore with the rest"
        )
    return None


def _called_id(name: str) -> bool:
    return name.strip().lower() in IDS


def _stamps(cells: pd.Series[Any], time_format: str | None) -> pd.Series[Any] | None:
    """The time stamps, where they are dates."""
    return _parsed(cells, time_format) if _reads_as_dates(cells, time_format) else None


def _follows(cells: pd.Series[Any], stamps: pd.Series[Any]) -> bool:
    """Whether a column follows from the time stamps: each weekday has a word of its own, or shares it with others.

    Each of five weekdays or more is met twice at least. Of fewer, the column may as well be the reason: countries whose
    figures come out on Mondays and on Thursdays.

    Example:
        >>> days = pd.Series(pd.date_range("2024-01-01", periods=14))
        >>> _follows(days.dt.day_name(), days), _follows(pd.Series(["north", "south"] * 7), days)
        (True, False)
    """
    words = cells.groupby(stamps.dt.day_of_week)
    several = len(words) >= WORKDAYS and cells.nunique() > 1
    return several and bool((words.size() > 1).all() and (words.nunique() == 1).all())


def _target(head: pd.DataFrame, left: Sequence[str], source: str) -> tuple[str, str]:
    numeric = [name for name in left if _reads_as_numbers(head[name])]
    if "y" in numeric:
        return "y", "y (by its name)"
    if len(numeric) == 1:
        return numeric[0], f"{numeric[0]} (the only column of numbers)"
    if numeric:
        raise DataError(
            f"{source}: which column is to be forecast? write --target with one of {listed(numeric)}; where each is "
            "a series of its own, write --wide (in a pipeline file `layout: wide`)"
        )
    raise DataError(
        f"{source}: no column of numbers that could be forecast; write --target with one of "
        f"{listed(left) or 'its columns'}"
    )


def _reads_as_dates(cells: pd.Series[Any], time_format: str | None = None) -> bool:
    if pd.api.types.is_datetime64_any_dtype(cells):
        return True
    if pd.api.types.is_numeric_dtype(cells) or cells.isna().all():
        return False
    return bool(_parsed(cells.dropna(), time_format).notna().mean() > 0.9)


def _parsed(cells: pd.Series[Any], time_format: str | None = None) -> pd.Series[Any]:
    if pd.api.types.is_datetime64_any_dtype(cells):
        return cells
    try:
        return pd.to_datetime(cells.astype(str), format=time_format or "ISO8601", errors="coerce", utc=True)
    except ValueError:  # no such format, which is told where the stamps are read
        return _parsed(cells)


def _reads_as_numbers(cells: pd.Series[Any]) -> bool:
    """Whether most cells are numbers: one that is not would be a mistake, which `read_csv` names."""
    if pd.api.types.is_numeric_dtype(cells):
        return not pd.api.types.is_bool_dtype(cells)
    if pd.api.types.is_datetime64_any_dtype(cells):
        return False
    return bool(pd.to_numeric(cells.dropna().astype(str), errors="coerce").notna().mean() > 0.5)


def _counts_up(cells: pd.Series[Any]) -> bool:
    """Whether whole numbers go up by the same step, as a count of time would."""
    steps = cells.diff().dropna()
    return bool(len(steps) and steps.iloc[0] > 0 and (steps == steps.iloc[0]).all())
