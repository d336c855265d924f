"""Snapshots of downloaded prices: a data file, and beside it a JSON file that says what it is.

    yahoo-GSPC_AAPL-1d-adjusted-6b1f0c2d9e.csv         unique_id, ds, Open, High, Low, Close, Volume
    yahoo-GSPC_AAPL-1d-adjusted-6b1f0c2d9e.csv.json    the request, span, exchanges, versions, SHA-256 of the above

Each is replaced whole. The JSON file goes first and still holds what it said before, under `previous`:
a process that dies between the two replacements leaves the former snapshot readable.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from forecaster.errors import DataError
from forecaster.series.exchanges import Listing
from forecaster.series.request import INTRADAY, Request, snapshot_file

__all__ = ["Snapshot", "read_snapshot", "write_snapshot"]

FORMAT = 1


@dataclass(frozen=True)
class Snapshot:
    """What the JSON file tells; `fallback_reason` says why it was used in place of a download.

    `listings` is what Yahoo says about each symbol; snapshots of before that was kept have none.
    """

    name: str
    symbols: list[str]
    rows: int
    first: str
    last: str
    start: str | None
    end: str | None
    interval: str
    adjusted: bool
    yfinance: str
    downloaded: str
    sha256: str
    listings: Mapping[str, Listing] = field(default_factory=dict)
    fallback_reason: str | None = None


_RECORDED = [each.name for each in fields(Snapshot) if each.name not in ("listings", "fallback_reason")]


def write_snapshot(
    frame: pd.DataFrame,
    where: Path | str,
    *,
    start: date | None = None,
    end: date | None = None,
    interval: str = "1d",
    adjusted: bool = True,
    listings: Mapping[str, Listing] | None = None,
) -> Snapshot:
    """Writes what `fetch` has just returned, and the JSON file beside it.

    Args:
        frame: Columns `unique_id`, `ds` and prices.
        where: A `.csv` or `.parquet` file; or a folder, where the name is made from the request.
        start: As it was asked for; so are the following three.
        end: See `Request`.
        interval: See `Request`.
        adjusted: See `Request`.
        listings: What Yahoo says about each symbol.

    Returns:
        What the JSON file tells.

    Raises:
        DataError: The frame is empty, the suffix unknown, or the file cannot be written.
    """
    if frame.empty:
        raise DataError("there is nothing to write: the frame has no rows")
    request = Request(tuple(frame["unique_id"].unique()), start, end, interval, adjusted)
    path = snapshot_file(Path(where), request)
    content = _packed(frame, path)
    info = _described(frame, request, path.name, content, listings or {})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        record = {"format": FORMAT, **_recorded(info), "previous": _previous(path)}
        _replace(_beside(path), json.dumps(record, indent=1).encode())
        _replace(path, content)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror}); name a place that can be") from error
    return info


def read_snapshot(path: Path | str) -> tuple[pd.DataFrame, Snapshot]:
    """Reads a snapshot back after comparing its SHA-256.

    Args:
        path: The data file.

    Returns:
        The frame as it was written, and what its JSON file tells.

    Raises:
        DataError: A file is missing, was altered, or has a format that this program does not know.
    """
    path = Path(path)
    try:
        record = json.loads(_beside(path).read_bytes())
        content = path.read_bytes()
    except OSError as error:
        cause = f"{error.filename}: cannot be read ({error.strerror})"
        raise DataError(f"{cause}; fetch {path.name} again") from error
    except ValueError as error:
        raise DataError(f"{_beside(path)}: is no JSON ({error}); fetch {path.name} again") from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise DataError(f"{_beside(path)}: is not in format {FORMAT} of snapshots; fetch {path.name} again")
    info = _told(record, hashlib.sha256(content).hexdigest(), path)
    return _unpacked(content, path, info), info


def _told(record: dict[str, Any], found: str, path: Path) -> Snapshot:
    """What a JSON file tells of the data file with this SHA-256, now or previously."""
    both = (record, record.get("previous") or {})
    told = next((each for each in both if each.get("sha256") == found), None)
    if told is None:
        raise DataError(
            f"{path}: was altered after the download (SHA-256 {found[:12]}…, {_beside(path).name} has "
            f"{str(record.get('sha256'))[:12]}…); put the original back or fetch it again"
        )
    try:
        listings = {symbol: Listing.of(each) for symbol, each in told.get("listings", {}).items()}
        return Snapshot(**{name: told[name] for name in _RECORDED}, listings=listings)
    except KeyError as error:
        raise DataError(f"{_beside(path)}: has no {error}; fetch {path.name} again") from error
    except (AttributeError, TypeError) as error:
        raise DataError(f"{_beside(path)}: its listings are damaged; fetch {path.name} again") from error


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _described(
    frame: pd.DataFrame, request: Request, name: str, content: bytes, listings: Mapping[str, Listing]
) -> Snapshot:
    return Snapshot(
        name=name,
        symbols=list(request.symbols),
        rows=len(frame),
        first=frame["ds"].min().isoformat(),
        last=frame["ds"].max().isoformat(),
        start=request.start.isoformat() if request.start else None,
        end=request.end.isoformat() if request.end else None,
        interval=request.interval,
        adjusted=request.adjusted,
        yfinance=version("yfinance"),
        downloaded=datetime.now(UTC).isoformat(timespec="seconds"),
        sha256=hashlib.sha256(content).hexdigest(),
        listings=dict(listings),
    )


def _recorded(info: Snapshot) -> dict[str, Any]:
    plain = {name: getattr(info, name) for name in _RECORDED}
    return {**plain, "listings": {symbol: asdict(listing) for symbol, listing in info.listings.items()}}


def _previous(path: Path) -> dict[str, Any] | None:
    try:
        _, info = read_snapshot(path)
    except DataError:
        return None
    return _recorded(info)


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _packed(frame: pd.DataFrame, path: Path) -> bytes:
    if path.suffix == ".csv":
        return frame.to_csv(index=False, lineterminator="\n").encode()
    try:
        return frame.to_parquet(None, index=False)
    except ImportError as error:
        raise DataError(f"{path}: pyarrow is missing; pip install 'forecaster[parquet]'") from error


def _unpacked(content: bytes, path: Path, info: Snapshot) -> pd.DataFrame:
    if path.suffix == ".parquet":
        try:
            return pd.read_parquet(io.BytesIO(content))
        except ImportError as error:
            raise DataError(f"{path}: pyarrow is missing; pip install 'forecaster[parquet]'") from error
    # as text at first: NA is a symbol
    text = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, na_values=[""])
    intraday = info.interval in INTRADAY
    stamps = pd.to_datetime(text["ds"], utc=intraday, format="ISO8601")
    text["ds"] = stamps.astype("datetime64[us, UTC]" if intraday else "datetime64[us]")
    return text.astype(dict.fromkeys(text.columns.drop(["unique_id", "ds"]), "float64"))
