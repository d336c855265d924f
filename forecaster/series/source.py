"""From a pipeline's `data` block to a panel."""

from __future__ import annotations

from pathlib import Path

from forecaster.config import FileData, TextData, TickerData
from forecaster.config.data import PYDOC, TEXT_ONLY
from forecaster.errors import DataError
from forecaster.series.csvformat import CsvFormat
from forecaster.series.files import groups_in, read_csv, read_parquet
from forecaster.series.panel import Panel

__all__ = ["SNAPSHOTS", "comes_with_python", "find_file", "find_groups", "load"]

SNAPSHOTS = Path("data") / "snapshots"
"""Where ticker downloads are kept, below the project's folder."""


def load(
    data: FileData | TickerData | TextData, base: Path, project: Path, offline: bool = False, fewest: int = 2
) -> Panel:
    """Reads what a `data` block names.

    Args:
        data: The block.
        base: Folder of the pipeline file, in which relative paths are looked for second.
        project: Folder below which ticker snapshots are kept.
        offline: Take tickers from their last snapshots, without the network.
        fewest: Different symbols that a column of names must hold: two to learn from, one to forecast from.

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
    options = data.model_dump(exclude={"source", "path", "calendar", "kind", "groups", *of_text})
    if data.kind == "symbols":
        from forecaster.series.symbols import read_symbols

        panel = read_symbols(path, parquet=data.source == "parquet", fewest=fewest, **options)
        return panel.with_calendar(data.calendar)
    panel = read(path, **options, groups=data.groups)
    return panel.with_calendar(data.calendar)


def comes_with_python(data: FileData | TextData) -> bool:
    """Whether the data are the topics of Python's own help, and no file of the user's."""
    return isinstance(data, TextData) and data.path == PYDOC


def find_groups(data: FileData, base: Path) -> dict[str, int]:
    """The labels of the groups in what a `data` block names, in order, and how many series each has.

    Args:
        data: The block, with `groups`.
        base: As `load`.

    Raises:
        DataError: As `load`; or it has no groups.
    """
    if data.groups is None:
        raise DataError(f"{data.path}: no groups are declared; write groups: {{by: COLUMN}}, or {{hash: 8}}")
    parts = data.model_dump(include={"id", "time", "target", "past", "known", "static", "ignore"})
    return groups_in(
        find_file(data.path, base), data.groups, parquet=data.source == "parquet", layout=data.layout,
        time_format=data.time_format, style=CsvFormat.of(data), **parts,
    )  # fmt: skip


def find_file(path: str, base: Path) -> Path:
    """A path relative to the working directory, else to `base` or the folder above it."""
    wanted = Path(path).expanduser()
    return next((folder / wanted for folder in (Path(), base, base.parent) if (folder / wanted).exists()), wanted)
