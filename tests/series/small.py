"""Small tables and panels for the tests of this room."""

from pathlib import Path

import numpy as np
import pandas as pd

from forecaster.series import Columns, EvenSteps, Panel, panel_from_frame

__all__ = ["HOURS", "days", "one_series", "panel_of_lengths", "table", "write"]

HOURS = EvenSteps("h", 3_600_000_000, 0)


def days(count: int, start: str = "2024-01-01", freq: str = "D", fmt: str = "%Y-%m-%d") -> list[str]:
    """Stamps as text."""
    return [stamp.strftime(fmt) for stamp in pd.date_range(start, periods=count, freq=freq)]


def table(**columns) -> pd.DataFrame:
    """A table with these columns."""
    return pd.DataFrame(columns)


def one_series(values, start: str = "2024-01-01", freq: str = "D", **columns) -> Panel:
    """A panel of one series; further columns by their part: `past=`, `known=`, `static=` give one of that kind."""
    values = np.asarray(values, float)
    frame = pd.DataFrame({"ds": pd.date_range(start, periods=len(values), freq=freq), "y": values, **columns})
    return panel_from_frame(frame, Columns(**{part: [part] for part in columns}), freq=freq)


def panel_of_lengths(lengths, *, values=None, ends=None, first=None, past=(), known=(), shared_clock=True) -> Panel:
    """A panel made by hand: row n, column m holds 100 n + m, so every value tells where it comes from."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    if values is None:
        width = 1 + len(past) + len(known)
        values = (100 * np.arange(offsets[-1])[:, None] + np.arange(width)).astype(np.float32)
    return Panel(
        ids=np.array([f"s{number}" for number in range(len(lengths))], dtype=object),
        values=np.asarray(values, np.float32),
        offsets=offsets,
        first=np.zeros(len(lengths), np.int64) if first is None else np.asarray(first),
        ends=offsets[1:].copy() if ends is None else np.asarray(ends),
        calendar=HOURS,
        past=tuple(past),
        known=tuple(known),
        shared_clock=shared_clock,
    )


def write(folder: Path, content: str | bytes, name: str = "data.csv") -> Path:
    """A file with that content."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path
