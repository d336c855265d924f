"""Which series can be forecast at all: those whose known covariates reach over all of the coming steps.

One product that has been taken off the list keeps no forecast of the others from being made: it is left out, and that
is said. Where all that end last would be left out, as where somebody forgot to tell what is coming, none is, and the
forecaster itself says what is missing: one that ended before stands in for none of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecaster.forecasting.gap import Start, seen_from
from forecaster.forecasting.inference import GIVE_KNOWN, first_unforeseen
from forecaster.series import Panel, foreseen
from forecaster.series.stamps import say_stamp

__all__ = ["Foreseeable", "foreseeable", "left_out"]

NAMED = 10
"""Series that are named one by one."""


@dataclass(frozen=True)
class Foreseeable:
    """What can be forecast.

    Attributes:
        panel: The series that can be.
        left_out: Names of the others.
        told: Of these, in a sentence; empty where there are none.
    """

    panel: Panel
    left_out: tuple[str, ...] = ()
    told: str = ""


def left_out(short: np.ndarray, panel: Panel) -> np.ndarray:
    """Which series are left out: those with too short covariates, if of those that end last others have enough.

    Args:
        short: Whether a series' known covariates do not reach far enough; shape (series,).
        panel: The series.

    Returns:
        Their numbers.
    """
    last = panel.last == panel.last.max() if panel.shared_clock else np.ones(len(panel), bool)
    return np.flatnonzero(short) if not short[last].all() else np.zeros(0, np.int64)


def foreseeable(panel: Panel, horizon: int, start: Start | None = None) -> Foreseeable:
    """Leaves out the series whose known covariates do not reach over what is to be forecast.

    From a later start, networks of numbers go through all steps behind the last observed one, those of symbols read the
    horizon alone.

    Args:
        panel: The data.
        horizon: Steps to forecast.
        start: The first of them; the one behind each series' end by default.

    Raises:
        DataError: The start is no time stamp of this kind of data.
    """
    if not panel.known:
        return Foreseeable(panel)
    seen, until = panel, panel.last + horizon
    after = seen.last
    if start is not None:
        begun = seen_from(panel, start)
        seen, until = begun.panel, np.full(len(begun.panel), begun.start + horizon - 1)
        after = until - horizon if panel.symbols else seen.last
    short = left_out(~foreseen(seen, after, until), seen)
    if not len(short):
        return Foreseeable(panel)
    names = seen.ids[short]
    one = int(short[0])
    column, ticks = first_unforeseen(seen, one, int(after[one]), int(until[one]))
    some = ", ".join(map(str, names[:NAMED])) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")
    told = (
        f"{len(names):,} of {len(seen):,} series are left out, since their known covariates do not reach over all that "
        f"is to be forecast: {some} (the first: {column} has no value at {say_stamp(seen.stamps(ticks[:1])[0])}); "
        f"{GIVE_KNOWN}"
    )
    left = np.isin(panel.ids, names)
    return Foreseeable(panel.select(np.flatnonzero(~left)), tuple(map(str, names)), told)
