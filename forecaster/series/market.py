"""From a `data` block of tickers to a panel on the sessions of their exchanges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from forecaster.config import TickerData
from forecaster.errors import DataError
from forecaster.series import ticker
from forecaster.series.calendar import Calendar
from forecaster.series.columns import Columns
from forecaster.series.exchanges import calendar_code
from forecaster.series.mixture import MixedSessions, trading_days
from forecaster.series.panel import Panel
from forecaster.series.request import snapshot_file
from forecaster.series.snapshot import Snapshot
from forecaster.series.stretches import closed_steps, visible
from forecaster.series.table import panel_from_frame

__all__ = ["load_tickers", "snapshot_name"]


def load_tickers(data: TickerData, folder: Path, offline: bool = False) -> Panel:
    """Downloads prices, or takes the last good snapshot, and lays them on the sessions of their exchanges.

    Args:
        data: The block.
        folder: Where snapshots are kept.
        offline: Use the last snapshot and no network, also where the block does not ask for that.

    Raises:
        DataError: Symbols could not be fetched, and why; or a calendar does not fit them.
    """
    frame, snapshot = ticker.load(
        data.symbols, data.start, data.end, data.interval, data.adjusted,
        folder=folder, offline=offline or data.offline,
    )  # fmt: skip
    if data.interval == "1d":  # an empty bar may lie on a holiday; on a session, its price is missing without it, too
        frame = frame[frame.drop(columns=["unique_id", "ds"]).notna().any(axis=1)]
    others = [name for name in frame.columns if name not in ("unique_id", "ds", data.target, *data.past)]
    columns = Columns("unique_id", "ds", data.target, tuple(data.past), ignore=others)
    calendar, told = _calendar(data, frame, snapshot)
    panel = panel_from_frame(frame, columns, freq=calendar, source=snapshot.name, first_row=2)
    found = {"frequency": f"{panel.calendar.name} ({told['frequency']})"}
    return replace(panel, notes={**panel.notes, **_mixed(panel), **told, **found, **_facts(snapshot)})


def snapshot_name(data: TickerData) -> str:
    """The name of the file in which the prices of a `data` block are kept."""
    request = ticker.request_of(data.symbols, data.start, data.end, data.interval, data.adjusted)
    return snapshot_file(Path(), request).name


def _facts(snapshot: Snapshot) -> dict[str, str]:
    """What the prices are, and which."""
    name = f"{snapshot.name} of {snapshot.downloaded}, SHA-256 {snapshot.sha256[:12]}…"
    facts = {
        "prices": f"adjusted for splits{' and dividends' if snapshot.adjusted else ' only'}",
        "snapshot": name,
    }
    running = {symbol: listing.unfinished for symbol, listing in snapshot.listings.items() if listing.unfinished}
    if running:
        said = ", ".join(f"{symbol} {stamp.removesuffix('T00:00:00')}" for symbol, stamp in running.items())
        facts["unfinished"] = f"{said}: not over at the download, so its last price is no close; left out"
    if snapshot.fallback_reason:
        facts["fallback"] = (
            f"NO NEW PRICES: those of the snapshot of {snapshot.downloaded} are used ({snapshot.fallback_reason})"
        )
    return facts


def _calendar(
    data: TickerData, frame: pd.DataFrame, snapshot: Snapshot
) -> tuple[Calendar | str | None, dict[str, str]]:
    """The calendar of daily prices by the exchanges, or as told; that of other intervals by the stamps."""
    if data.freq and "+" not in data.freq:
        return data.freq, {"frequency": "as told"}
    if data.interval != "1d":
        return None, {"frequency": "inferred from the time stamps"}
    found = {symbol: calendar_code(symbol, snapshot.listings.get(symbol)) for symbol in snapshot.symbols}
    if data.freq:
        _check_told(data.freq, {symbol: code for symbol, (code, _) in found.items()})
    days = {str(symbol): part["ds"].to_numpy() for symbol, part in frame.groupby("unique_id", sort=False)}
    calendar, added = trading_days(days, {symbol: code for symbol, (code, _) in found.items()})
    notes = {"frequency": "; ".join(_reasons(found))}
    if added:
        shown = ", ".join(added[:5]) + (f" and {len(added) - 5} more" if len(added) > 5 else "")
        notes["extra sessions"] = f"{shown}: traded on, though not listed in exchange_calendars"
    return calendar, notes


def _mixed(panel: Panel) -> dict[str, str]:
    """What several exchanges mean for the series, and gaps without the days on which their own was closed."""
    if not isinstance(panel.calendar, MixedSessions):
        return {}
    closed = closed_steps(panel)
    missing = int(np.isnan(visible(panel)[0][~closed]).sum())
    away = f"{int(closed.sum()):,} steps are no sessions of their series' own exchange"
    total = f"{missing:,} of {int((~closed).sum()):,} sessions"
    return {
        "gaps": f"{total} missing" if missing else "none",
        "exchanges": f"a step is a day on which any of them is open; {away}: there it is missing and gets no forecast, "
        "so that it may have fewer forecasts than the horizon, each on a session of its own",
    }


def _check_told(freq: str, codes: Mapping[str, str]) -> None:
    told = freq.split("+")
    for symbol, code in codes.items():
        if code not in told:
            raise DataError(f"freq: {symbol} has the sessions of {code}, which is not in {freq}; omit freq to infer it")


def _reasons(found: Mapping[str, tuple[str, str]]) -> list[str]:
    """Which symbols have which calendar and why; without their names where it is the same for all."""
    if len(set(found.values())) == 1:
        return [next(iter(found.values()))[1]]
    groups: dict[tuple[str, str], list[str]] = {}
    for symbol, reason in found.items():
        groups.setdefault(reason, []).append(symbol)
    return [f"{', '.join(symbols)}: {code} {why}" for (code, why), symbols in groups.items()]
