"""Cron expressions, read in UTC: a line of five fields in, the moments that it names out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

__all__ = ["Cron"]

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
SHORT = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("day of the week", 0, 7, WEEKDAYS),
)
SPAN = timedelta(days=40 * 366)
"""29 February falls on a given day of the week every 28 years, and after 40 where a leap year is left out between."""

_PART = re.compile(r"(?P<low>\*|\w+)(?:-(?P<high>\w+))?(?:/(?P<step>\d+))?")


@dataclass(frozen=True)
class Cron:
    """Moments that come again and again: minute, hour, day of the month, month, day of the week, all in UTC.

    As in Vixie's cron: lists (`1,3`), ranges (`1-5`), steps (`*/15`), names (`mon`, `jan`), Sunday as 0 or 7; where
    both days are restricted, either of them will do. UTC has no daylight saving, so each moment comes exactly once.

    Example:
        >>> nightly = Cron.parse("0 3 * * *")
        >>> nightly.latest(datetime(2026, 3, 29, 2, 59, tzinfo=UTC)).isoformat()
        '2026-03-28T03:00:00+00:00'
        >>> nightly.following(datetime(2026, 3, 29, 2, 59, tzinfo=UTC)).isoformat()
        '2026-03-29T03:00:00+00:00'
    """

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Reads an expression.

        Args:
            text: Five fields, or one of @hourly, @daily, @weekly, @monthly, @yearly.

        Raises:
            ValueError: Says which field is wrong and what may stand there.
        """
        fields = SHORT.get(text.strip().lower(), text).split()
        if len(fields) != len(FIELDS):
            raise ValueError(
                f"a cron expression has five fields (minute, hour, day of the month, month, day of the week), as in "
                f'"0 3 * * *" for 03:00 UTC every day; found {len(fields)} in {text!r}'
            )
        sets = [_values(field, *rule) for field, rule in zip(fields, FIELDS, strict=True)]
        weekdays = frozenset(value % 7 for value in sets[4])
        either = not fields[2].startswith("*") and not fields[4].startswith("*")
        cron = cls(text, sets[0], sets[1], sets[2], sets[3], weekdays, either)
        if next(cron._days(date(2000, 1, 1), 1), None) is None:
            raise ValueError(f"{text!r} names a day that never comes; check the day of the month and the month")
        return cron

    def latest(self, moment: datetime) -> datetime:
        """The last of the moments that is not after this one.

        Args:
            moment: With a time zone.
        """
        here = moment.astimezone(UTC)
        return next(slot for slot in self._slots(here.date(), -1) if slot <= here)

    def following(self, moment: datetime) -> datetime:
        """The first of the moments that is after this one.

        Args:
            moment: With a time zone.
        """
        here = moment.astimezone(UTC)
        return next(slot for slot in self._slots(here.date(), 1) if slot > here)

    def between(self, low: datetime, high: datetime, at_most: int = 1000) -> int:
        """How many of the moments lie between two, both exclusive; counting stops at `at_most`."""
        count = 0
        slot = self.following(low)
        while slot < high and count < at_most:
            count, slot = count + 1, self.following(slot)
        return count

    def _slots(self, start: date, direction: int) -> Iterator[datetime]:
        order = 1 if direction > 0 else -1
        for day in self._days(start, direction):
            for hour in sorted(self.hours)[::order]:
                for minute in sorted(self.minutes)[::order]:
                    yield datetime.combine(day, time(hour, minute), UTC)

    def _days(self, start: date, direction: int) -> Iterator[date]:
        for passed in range(SPAN.days):
            day = start + timedelta(days=direction * passed)
            fits = (day.day in self.days, day.isoweekday() % 7 in self.weekdays)
            if day.month in self.months and (any(fits) if self.either else all(fits)):
                yield day


def _values(field: str, name: str, low: int, high: int, names: Sequence[str]) -> frozenset[int]:
    """The numbers that a field stands for."""
    found: set[int] = set()
    for part in field.lower().split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{name}: {part!r} is no number, range or step; write *, 5, 1-5, */15 or 1,3")
        first, last, step = (match[group] for group in ("low", "high", "step"))
        begin = low if first == "*" else _number(first, name, low, high, names)
        end = high if first == "*" or (step and not last) else begin
        end = _number(last, name, low, high, names) if last else end
        if first == "*" and last:
            raise ValueError(f"{name}: {part!r} is no range; write * alone, or two numbers as in 1-5")
        if end < begin:
            raise ValueError(f"{name}: the range {part!r} runs backwards; write the smaller number first")
        if step == "0":
            raise ValueError(f"{name}: the step of {part!r} is 0; write 1 or more")
        found.update(range(begin, end + 1, int(step or 1)))
    return frozenset(found)


def _number(text: str, name: str, low: int, high: int, names: Sequence[str]) -> int:
    if text in names:
        return list(names).index(text) + (1 if low == 1 else 0)
    if not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
        also = f", or {names[0]} to {names[-1]}" if names else ""
        raise ValueError(f"{name}: {text!r} should be a whole number from {low} to {high}{also}")
    return int(text)
