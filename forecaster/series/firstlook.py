"""A first look at a file: what can be told of its first rows, even where the door refuses the whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecaster.errors import DataError
from forecaster.series.columns import Columns
from forecaster.series.csvformat import CsvFormat
from forecaster.series.csvtext import encoding_of
from forecaster.series.stamps import say_stamp

__all__ = ["column_kinds", "head_of", "rough_facts"]

HEAD = 5_000
"""Rows that are looked at."""
SHOWN = 3
"""Distances between time stamps that are told."""


def head_of(
    path: Path,
    separator: str = ",",
    decimal: str = ".",
    thousands: str | None = None,
    encoding: str = "utf-8",
) -> pd.DataFrame:
    """The first rows of a file, as far as it can be read as a table; else no rows and no columns.

    The judging is `read_csv`'s, with better words.

    Args:
        path: CSV or Parquet.
        separator: Between the columns of a CSV file.
        decimal: What stands before decimals in it.
        thousands: What stands between groups of three digits in it.
        encoding: Of its text.
    """
    try:
        if path.suffix in (".parquet", ".pq"):
            frame = pd.read_parquet(path).head(HEAD)
            frame = frame.reset_index() if any(frame.index.names) else frame
        else:
            frame = pd.read_csv(
                path, nrows=HEAD, skipinitialspace=True, low_memory=False, sep=separator, decimal=decimal,
                thousands=thousands, encoding=encoding_of(path, CsvFormat(encoding=encoding)),
            )  # fmt: skip
            if len(frame.columns) == 1 or not isinstance(frame.index, pd.RangeIndex):
                return pd.DataFrame()
    except (OSError, ValueError, ImportError, EOFError, LookupError, DataError):
        return pd.DataFrame()
    return frame.set_axis([str(name).strip() for name in frame.columns], axis=1)


def column_kinds(head: pd.DataFrame) -> dict[str, str]:
    """What each column holds, with an example.

    Example:
        >>> column_kinds(pd.DataFrame({"ds": ["2024-01-01", "2024-01-02"], "y": [1.5, None]}))
        {'ds': 'text, such as 2024-01-01', 'y': 'numbers, such as 1.5, 1 of the first 2 empty'}
    """
    return {str(name): _kind(head[name]) for name in dict.fromkeys(head.columns) if head[name].ndim == 1}


def _kind(cells: pd.Series[Any]) -> str:
    filled = cells.dropna()
    if not len(filled):
        return "empty"
    kind = "numbers" if pd.api.types.is_numeric_dtype(cells) else "text"
    empty = f", {len(cells) - len(filled):,} of the first {len(cells):,} empty" if len(filled) < len(cells) else ""
    return f"{kind}, such as {str(filled.iloc[0])[:60]}{empty}"


def rough_facts(head: pd.DataFrame, columns: Columns) -> dict[str, str]:
    """What can be said of the first rows without judging them; nothing where the columns are not there.

    Args:
        head: First rows.
        columns: Which column plays which part.

    Example:
        >>> days = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-07"]
        >>> rough_facts(pd.DataFrame({"ds": days, "y": [1, 2, 3, 4]}), Columns())["steps"]
        '1 days (2 of 3), 4 days (1 of 3)'
    """
    if any(name not in head.columns for name in (columns.id or columns.time, columns.time)):
        return {}
    rows = f"the first {HEAD:,}" if len(head) == HEAD else f"{len(head):,}"
    facts = {"rows looked at": rows}
    if columns.id:
        facts["series in them"] = f"{head[columns.id].nunique():,}"
    stamps = head[columns.time]
    if not pd.api.types.is_numeric_dtype(stamps):
        stamps = pd.to_datetime(stamps.astype(str), format="ISO8601", errors="coerce", utc=True)
        stamps = stamps.dt.tz_localize(None)
        if stamps.isna().any():
            facts["no ISO 8601 stamps"] = f"{stamps.isna().sum():,}"
    if stamps.notna().any():
        facts["stamps"] = f"{say_stamp(stamps.min())} to {say_stamp(stamps.max())}"
        facts["steps"] = _steps(head, stamps, columns)
    return facts


def _steps(head: pd.DataFrame, stamps: pd.Series[Any], columns: Columns) -> str:
    """The most frequent distances from one row to the next of the same series."""
    owner = head[columns.id].astype(str) if columns.id else pd.Series("", index=head.index)
    ordered = pd.DataFrame({"owner": owner, "stamp": stamps}).dropna().sort_values(["owner", "stamp"], kind="stable")
    steps = ordered.groupby("owner", sort=False)["stamp"].diff().dropna()
    counts = steps.value_counts()[:SHOWN]
    told = [str(step).replace(" 00:00:00", "").removesuffix(".0") for step in counts.index]
    some = ", ".join(f"{step} ({count:,} of {len(steps):,})" for step, count in zip(told, counts, strict=True))
    other = int(np.maximum(len(steps) - counts.sum(), 0))
    return f"{some}, others ({other:,})" if other else some or "none"
