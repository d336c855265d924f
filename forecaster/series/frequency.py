"""Inferring the frequency: the grid that all time stamps lie on, or an error that says what to write."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecaster.errors import DataError
from forecaster.series.calendar import Calendar, EvenSteps, calendar_from, even_steps

__all__ = ["infer_calendar"]


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
    everything = np.sort(np.concatenate(list(stamps)))
    everything = everything[np.append(True, everything[1:] != everything[:-1])]
    distances = np.concatenate([np.diff(one.astype(np.int64)) for one in stamps])
    distances = distances[distances > 0]
    if len(everything) < 3 or not len(distances):
        found = f"{len(everything)} time stamp{'s' * (len(everything) > 1)}"
        raise DataError(
            f"freq: cannot be inferred from {found}{'' if len(everything) < 3 else ' in series of one row each'}; "
            "write it, for instance `freq: h`"
        )
    numeric = everything.dtype.kind in "iu"
    if not numeric and (named := _by_name(pd.DatetimeIndex(everything))):
        return named
    width = int(np.gcd.reduce(distances))
    values, counts = np.unique(distances, return_counts=True)
    common = int(values[counts.argmax()])
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


def _irregular(stamps: int, distances: np.ndarray, common: int, width: int, numeric: bool) -> str:
    odd = int(distances[distances % common != 0][0])
    return (
        f"time stamps are irregular: {np.mean(distances == common):.0%} of the steps are {_say(common, numeric)}, "
        f"but there is one of {_say(odd, numeric)}, and only a grid of {_say(width, numeric)} would hold all "
        f"{stamps:,} stamps; write `freq:` to say which grid is meant, or bring the data onto one"
    )


def _say(distance: int, numeric: bool) -> str:
    """A distance as people say it: 1 day 07:13:00."""
    if numeric:
        return str(distance)
    days, _, clock = str(pd.Timedelta(distance, "us")).partition(" days ")
    said = {"0": "", "1": "1 day"}.get(days, f"{days} days")
    return f"{said} {clock if clock != '00:00:00' else ''}".strip()
