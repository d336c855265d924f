"""From a pipeline's `data` block to a panel."""

from __future__ import annotations

from pathlib import Path

from forecaster.config import FileData, TextData, TickerData
from forecaster.config.data import PYDOC, TEXT_ONLY
from forecaster.series.files import read_csv, read_parquet
from forecaster.series.panel import Panel

__all__ = ["SNAPSHOTS", "comes_with_python", "find_file", "load"]

SNAPSHOTS = Path("data") / "snapshots"
"""Where ticker downloads are kept, below the project's folder."""


def load(data: FileData | TickerData | TextData, base: Path, project: Path, offline: bool = False) -> Panel:
    """Reads what a `data` block names.

    Args:
        data: The block.
        base: Folder of the pipeline file, in which relative paths are looked for second.
        project: Folder below which ticker snapshots are kept.
        offline: Take tickers from their last snapshots, without the network.

    Raises:
        DataError: Names file, row, column and remedy; or the symbols that could not be fetched and why.
    """
    if isinstance(data, TickerData):
        from forecaster.series.market import load_tickers

        return load_tickers(data, project / SNAPSHOTS, offline).with_calendar(data.calendar)
    if isinstance(data, TextData):
        from forecaster.series.text import read_text

        where = data.path if comes_with_python(data) else find_file(data.path, base)
        return read_text(where, unit=data.unit, encoding=data.encoding)
    read = read_parquet if data.source == "parquet" else read_csv
    path = find_file(data.path, base)
    of_text = TEXT_ONLY if data.source == "parquet" else set()
    options = data.model_dump(exclude={"source", "path", "calendar", "kind", *of_text})
    if data.kind == "symbols":
        from forecaster.series.symbols import read_symbols

        return read_symbols(path, parquet=data.source == "parquet", **options).with_calendar(data.calendar)
    panel: Panel = read(path, **options)
    return panel.with_calendar(data.calendar)


def comes_with_python(data: FileData | TextData) -> bool:
    """Whether the data are the topics of Python's own help, and no file of the user's."""
    return isinstance(data, TextData) and data.path == PYDOC


def find_file(path: str, base: Path) -> Path:
    """A path relative to the working directory, else to `base` or the folder above it."""
    wanted = Path(path).expanduser()
    return next((folder / wanted for folder in (Path(), base, base.parent) if (folder / wanted).exists()), wanted)
