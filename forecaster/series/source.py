"""From a pipeline's `data` block to a panel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from forecaster.config import FileData, TickerData
from forecaster.series.files import read_csv, read_parquet
from forecaster.series.panel import Panel
from forecaster.series.table import Columns, panel_from_frame

__all__ = ["SNAPSHOTS", "find_file", "load"]

SNAPSHOTS = Path("data") / "snapshots"
"""Where ticker downloads are kept, below the project's folder."""
EXCHANGES = {
    "": "XNYS", "L": "XLON", "DE": "XETR", "PA": "XPAR", "AS": "XAMS", "MI": "XMIL", "SW": "XSWX", "TO": "XTSE",
    "T": "XTKS", "HK": "XHKG", "AX": "XASX", "ST": "XSTO",
}  # fmt: skip
"""Exchange by the suffix that Yahoo gives its symbols."""


def load(data: FileData | TickerData, base: Path, project: Path) -> Panel:
    """Reads what a `data` block names.

    Args:
        data: The block.
        base: Folder of the pipeline file, in which relative paths are looked for second.
        project: Folder below which ticker snapshots are kept.

    Raises:
        DataError: Names file, row, column and remedy; or the symbols that could not be fetched and why.
    """
    if isinstance(data, TickerData):
        return _tickers(data, project / SNAPSHOTS)
    read = read_parquet if data.source == "parquet" else read_csv
    path = find_file(data.path, base)
    options = data.model_dump(exclude={"source", "path"})
    return read(path, **options)


def find_file(path: str, base: Path) -> Path:
    """A path relative to the working directory, else to `base` or the folder above it."""
    for folder in (Path(), base, base.parent):
        if (folder / path).exists():
            return folder / path
    return Path(path)


def _tickers(data: TickerData, folder: Path) -> Panel:
    from forecaster.series import ticker

    frame, snapshot = ticker.load(
        data.symbols, data.start, data.end, data.interval, data.adjusted, folder=folder, offline=data.offline
    )
    past = tuple(data.past)
    others = [name for name in frame.columns if name not in ("unique_id", "ds", data.target, *past)]
    freq, why = (data.freq, "as told") if data.freq else _exchange(data)
    panel = panel_from_frame(
        frame, Columns("unique_id", "ds", data.target, past, ignore=others), freq=freq, source=snapshot.name
    )
    found = {"frequency": f"{panel.calendar.name} ({why})", "snapshot": f"{snapshot.name} of {snapshot.downloaded}"}
    fallback = {"fallback": snapshot.fallback_reason} if snapshot.fallback_reason else {}
    return replace(panel, notes={**panel.notes, **found, **fallback})


def _exchange(data: TickerData) -> tuple[str | None, str]:
    """The calendar of daily prices by the symbols' suffixes; finer steps are inferred from the stamps."""
    if data.interval != "1d":
        return None, "inferred from the time stamps"
    if all(symbol.endswith(("-USD", "-EUR", "-BTC")) for symbol in data.symbols):
        return "D", "traded every day, by the symbols"
    codes = {EXCHANGES.get(symbol.rpartition(".")[2] if "." in symbol else "") for symbol in data.symbols}
    code = codes.pop() if len(codes) == 1 else None
    return (code, "by the symbols' suffix") if code else ("B", "business days, since the exchanges differ or are unknown")
