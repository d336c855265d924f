"""What is asked of Yahoo, and the name of the file that its answer is kept in."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from forecaster.errors import DataError

__all__ = ["INTERVALS", "INTRADAY", "Request", "snapshot_file"]

INTRADAY = ("1m", "2m", "5m", "15m", "30m", "60m", "90m", "1h")
INTERVALS = (*INTRADAY, "1d", "1wk", "1mo", "3mo")


@dataclass(frozen=True)
class Request:
    """What is asked of Yahoo. Equal requests have equal keys, so the same snapshot.

    `start` is included, `end` is not; None stands for all that there is.
    """

    symbols: tuple[str, ...]
    start: date | None
    end: date | None
    interval: str
    adjusted: bool

    @property
    def intraday(self) -> bool:
        """Whether stamps are moments (in UTC) rather than days."""
        return self.interval in INTRADAY

    @property
    def key(self) -> str:
        """A file name without suffix: safe on every file system, different for different requests."""
        told = json.dumps([self.symbols, str(self.start), str(self.end), self.interval, self.adjusted])
        readable = "_".join(re.sub(r"[^A-Z0-9-]", "", symbol) for symbol in self.symbols)[:40]
        kind = "adjusted" if self.adjusted else "unadjusted"
        return f"yahoo-{readable}-{self.interval}-{kind}-{hashlib.sha256(told.encode()).hexdigest()[:10]}"


def snapshot_file(where: Path, request: Request) -> Path:
    """The data file: `where` itself, or the one in that folder that the request names.

    Raises:
        DataError: The suffix is unknown.
    """
    if where.is_dir() or not where.suffix:
        return where / f"{request.key}.csv"
    if where.suffix not in (".csv", ".parquet"):
        raise DataError(f"{where}: unknown suffix {where.suffix}; name a .csv or .parquet file, or a folder")
    return where
