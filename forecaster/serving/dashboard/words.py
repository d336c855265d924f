"""Numbers and moments as a person reads them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

__all__ = ["NOTHING", "distance", "duration", "number", "percent"]

NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def number(value: object, digits: int = 4) -> str:
    """A number with so many significant digits and thousands apart; a dash for none.

    Example:
        >>> number(0.21018), number(12345.6), number(None), number(float("nan")), number(-0.5), number(True)
        ('0.2102', '12,346', '–', '–', '−0.5000', '–')
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return NOTHING
    if isinstance(value, int):
        return f"{value:,}".replace("-", MINUS)
    places = max(0, digits - 1 - (math.floor(math.log10(abs(value))) if value else 0))
    return f"{value:,.{min(places, 12)}f}".replace("-", MINUS)


def percent(value: object, signed: bool = False) -> str:
    """A share in per cent.

    Example:
        >>> percent(0.8616), percent(0.368, signed=True), percent(None)
        ('86.2 %', '+36.8 %', '–')
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return NOTHING
    return f"{100 * value:{'+' if signed else ''}.1f} %".replace("-", MINUS)


def duration(seconds: float | None) -> str:
    """How long something took.

    Example:
        >>> duration(12.3), duration(95), duration(7300), duration(None)
        ('12 s', '1 min 35 s', '2 h 1 min', '–')
    """
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def distance(moment: datetime, now: datetime) -> str:
    """How far a moment lies from now, roughly.

    Example:
        >>> now = datetime(2026, 3, 4, 5, tzinfo=UTC)
        >>> distance(datetime(2026, 3, 4, 20, tzinfo=UTC), now), distance(datetime(2026, 3, 1, 5, tzinfo=UTC), now)
        ('in 15 hours', '3 days ago')
        >>> distance(now, now)
        'just now'
    """
    seconds = (moment.astimezone(UTC) - now).total_seconds()
    size = abs(seconds)
    if size < 60:
        return "just now" if seconds <= 0 else "in a minute"
    units = ((86400 * 365.25, "year"), (86400 * 30.4, "month"), (86400, "day"), (3600, "hour"), (60, "minute"))
    length, unit = next((one for one in units if size >= 2 * one[0]), units[-1])
    count = round(size / length)
    words = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"in {words}" if seconds > 0 else f"{words} ago"
