"""From a pipeline's `data` block to a panel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from forecaster.config import FileData, TickerData
from forecaster.series.columns import Columns
from forecaster.series.files import read_csv, read_parquet
from forecaster.series.panel import Panel
from forecaster.series.table import panel_from_frame

__all__ = ["SNAPSHOTS", "find_file", "load"]

SNAPSHOTS = Path("data") / "snapshots"
"""Where ticker downloads are kept, below the project's folder."""
EXCHANGES = {
    "": "XNYS", "L": "XLON", "DE": "XETR", "PA": "XPAR", "AS": "XAMS", "MI": "XMIL", "SW": "XSWX", "TO": "XTSE",
    "T": "XTKS", "HK": "XHKG", "AX": "XASX", "ST": "XSTO",
}  # fmt: skip
"""Exchange by the suffix that Yahoo gives its symbols."""
INDICES = {"^GSPC": "XNYS", "^DJI": "XNYS", "^IXIC": "XNYS", "^NDX": "XNYS", "^RUT": "XNYS", "^GDAXI": "XETR"}
"""Exchange by the symbol of an index: those have no suffix."""


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
    wanted = Path(path).expanduser()
    return next((folder / wanted for folder in (Path(), base, base.parent) if (folder / wanted).exists()), wanted)


def _tickers(data: TickerData, folder: Path) -> Panel:
    from forecaster.series import ticker

    frame, snapshot = ticker.load(
        data.symbols, data.start, data.end, data.interval, data.adjusted, folder=folder, offline=data.offline
    )
    past = tuple(data.past)
    others = [name for name in frame.columns if name not in ("unique_id", "ds", data.target, *past)]
    columns = Columns("unique_id", "ds", data.target, past, ignore=others)
    freq, why = (data.freq, "as told") if data.freq else _sessions(data)
    panel = panel_from_frame(frame, columns, freq=freq, source=snapshot.name, first_row=2)
    found = {"frequency": f"{panel.calendar.name} ({why})", "snapshot": f"{snapshot.name} of {snapshot.downloaded}"}
    fallback = {"fallback": snapshot.fallback_reason} if snapshot.fallback_reason else {}
    return replace(panel, notes={**panel.notes, **found, **fallback})


def _sessions(data: TickerData) -> tuple[str | None, str]:
    """The calendar of daily prices by the symbols; that of other intervals is inferred from the stamps."""
    if data.interval != "1d":
        return None, "inferred from the time stamps"
    codes = {_exchange(symbol.strip().upper()) for symbol in data.symbols}
    if codes == {"D"}:
        return "D", "traded every day, by the symbols"
    if len(codes) == 1 and (code := codes.pop()):
        return code, "by the symbols"
    return "B", "business days, since the exchanges differ or are unknown"


def _exchange(symbol: str) -> str | None:
    """Where a symbol is traded: an exchange, every day (D), or unknown (currencies, futures, most indices)."""
    if symbol.endswith(("-USD", "-EUR", "-GBP", "-BTC")):
        return "D"
    if symbol.startswith("^") or "=" in symbol:
        return INDICES.get(symbol)
    return EXCHANGES.get(symbol.partition(".")[2])
