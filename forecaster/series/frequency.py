"""Inferring the frequency: the grid that all time stamps lie on, or an error that says what to write."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecaster.errors import DataError
from forecaster.series.calendar import DAY, Calendar, EvenSteps, calendar_from, even_steps

__all__ = ["infer_calendar", "infer_from"]


def infer_calendar(stamps: Sequence[np.ndarray]) -> Calendar:
    """Finds the grid that all stamps lie on.

    Starts and ends of years, quarters and months come first (or every n-th of them), then business days (no
    Saturday or Sunday in at least three weeks), then the greatest common divisor of all distances, provided
    that it is also the most frequent distance.

    Args:
        stamps: For each series its stamps in order, either `datetime64[us]` or integers.

    Raises:
        DataError: Irregular stamps; the message says what to write for `freq`.

    Example:
        >>> infer_calendar([np.array(["2024-01-31", "2024-02-29", "2024-03-31"], "datetime64[us]")]).name
        'ME'
    """
    lengths = [len(one) for one in stamps]
    return infer_from(np.concatenate(list(stamps)), np.cumsum([0, *lengths[:-1]]))


def infer_from(stamps: np.ndarray, starts: np.ndarray) -> Calendar:
    """As `infer_calendar`, from the stamps of all series one after the other.

    Args:
        stamps: In order within each series; shape (rows,).
        starts: First row of each series; shape (series,).

    Raises:
        DataError: As `infer_calendar`.
    """
    everything = np.sort(pd.unique(stamps))
    steps = np.diff(stamps.astype(np.int64, copy=False))
    steps[starts[1:] - 1] = 0  # from one series to the next
    codes, values = pd.factorize(steps)
    counts = np.bincount(codes, minlength=len(values))
    first = {int(value): int(count) for value, count in zip(values, counts, strict=True) if value > 0}
    return _grid_of(everything, first)


def _grid_of(everything: np.ndarray, distances: dict[int, int]) -> Calendar:
    """The grid of all different stamps; how often each distance within a series occurs."""
    if len(everything) < 3 or not distances:
        found = f"{len(everything)} time stamp{'s' * (len(everything) > 1)}"
        raise DataError(
            f"freq: cannot be inferred from {found}{'' if len(everything) < 3 else ' in series of one row each'}; "
            "write it, for instance `freq: h`"
        )
    numeric = everything.dtype.kind in "iu"
    if not numeric and (named := _by_name(pd.DatetimeIndex(everything))):
        return named
    width = math.gcd(*distances)
    common = max(sorted(distances), key=distances.__getitem__)
    if common != width:
        raise DataError(_irregular(len(everything), distances, common, width, numeric))
    if numeric:
        return EvenSteps(str(width), width, int(everything[0]), numeric=True)
    return even_steps(width, pd.Timestamp(everything[0]))


def _by_name(index: pd.DatetimeIndex) -> Calendar | None:
    """The calendar that people have a name for and that is not evenly spaced."""
    days = index.normalize()
    if not (index - days == index[0] - days[0]).all():
        return None
    for alias, on in (
        ("YS", index.is_year_start), ("YE", index.is_year_end), ("QS", index.is_quarter_start),
        ("QE", index.is_quarter_end), ("MS", index.is_month_start), ("ME", index.is_month_end),
    ):  # fmt: skip
        if on.all():
            calendar = calendar_from(alias, index[0], index[-1])
            every = int(np.gcd.reduce(np.diff(calendar.ticks(index.to_numpy()))))
            return calendar if every == 1 else calendar_from(f"{every}{alias}", index[0], index[-1])
    single = np.median(np.diff(days.to_numpy())) == np.timedelta64(1, "D")
    if single and index[-1] - index[0] >= pd.Timedelta(21, "D") and (index.day_of_week < 5).all():
        return calendar_from("B", index[0], index[-1])
    return None


def _irregular(stamps: int, distances: dict[int, int], common: int, width: int, numeric: bool) -> str:
    odd = next(distance for distance in distances if distance % common)
    share = distances[common] / sum(distances.values())
    hour = DAY // 24
    clocks = not numeric and common == DAY and abs(odd - DAY) == hour
    zone = ", or, if clocks were put forward or back there, tell the zone (`zone: Europe/London`)" if clocks else ""
    return (
        f"time stamps are irregular: {share:.0%} of the steps are {_say(common, numeric)}, "
        f"but there is one of {_say(odd, numeric)}, and only a grid of {_say(width, numeric)} would hold all "
        f"{stamps:,} stamps; write `freq:` to say which grid is meant, or bring the data onto one{zone}"
    )


def _say(distance: int, numeric: bool) -> str:
    """A distance as people say it: 1 day 07:13:00."""
    if numeric:
        return str(distance)
    days, _, clock = str(pd.Timedelta(distance, "us")).partition(" days ")
    said = {"0": "", "1": "1 day"}.get(days, f"{days} days")
    return f"{said} {clock if clock != '00:00:00' else ''}".strip()
