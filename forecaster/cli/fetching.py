"""`fetch`: ticker history to a snapshot, a row a symbol."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from rich.table import Table

from forecaster.cli.console import console, messages
from forecaster.config import Project
from forecaster.series.exchanges import calendar_code
from forecaster.series.snapshot import Snapshot
from forecaster.series.source import SNAPSHOTS
from forecaster.series.ticker import download

__all__ = ["fetch_prices"]


def fetch_prices(
    symbols: list[str],
    project: Path | None,
    *,
    start: str | None,
    end: str | None,
    interval: str,
    adjusted: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Downloads the symbols, writes the snapshot and shows what is in it; nothing is written if one fails."""
    where = out or Project.find(project).root / SNAPSHOTS
    names = f"{len(symbols)} symbols" if len(symbols) > 1 else symbols[0]
    with messages.status(f"asking Yahoo for {names}"):
        frame, path, info = download(symbols, start, end, interval, adjusted, where=where)
    rows = [_row(symbol, frame[frame["unique_id"] == symbol], info) for symbol in info.symbols]
    if as_json:
        told = {"file": str(path), "sha256": info.sha256, "interval": interval, "adjusted": adjusted}
        print(json.dumps({**told, "downloaded": info.downloaded, "symbols": rows}, indent=2))  # noqa: T201
        return
    console.print(_table(rows))
    for row in rows:
        if row["unfinished"]:
            said = f"{row['symbol']}: {row['unfinished']} was not over yet, so its last price is no close; left out"
            console.print(said, markup=False, soft_wrap=True)
    kind = "adjusted for splits and dividends" if adjusted else "adjusted for splits only"
    console.print(f"\nPrices {kind}: {path}", markup=False, soft_wrap=True)


def _row(symbol: str, prices: pd.DataFrame, info: Snapshot) -> dict[str, Any]:
    listing = info.listings.get(symbol)
    seen = prices.dropna(subset=["Close"])
    daily = info.interval == "1d"
    return {
        "symbol": symbol,
        "rows": len(prices),
        "missing": len(prices) - len(seen),
        "first": _stamp(prices["ds"].iloc[0]),
        "last": _stamp(seen["ds"].iloc[-1]),
        "close": float(seen["Close"].iloc[-1]),
        "currency": listing.currency if listing else "",
        "exchange": listing.exchange_name or listing.exchange if listing else "",
        "calendar": calendar_code(symbol, listing)[0] if daily else None,
        "unfinished": listing.unfinished.removesuffix("T00:00:00") if listing and listing.unfinished else None,
    }


def _stamp(stamp: pd.Timestamp) -> str:
    return stamp.isoformat().removesuffix("T00:00:00")


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("symbol", "rows", "first", "last", "last close", "", "exchange", "calendar"):
        table.add_column(heading, justify="right" if heading in ("rows", "last close") else "left", overflow="fold")
    for row in rows:
        missing = f" ({row['missing']} missing)" if row["missing"] else ""
        table.add_row(
            row["symbol"], f"{row['rows']:,}{missing}", row["first"], row["last"], f"{row['close']:,.6g}",
            row["currency"], row["exchange"], row["calendar"] or "",
        )  # fmt: skip
    return table
