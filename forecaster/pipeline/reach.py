"""How far data reached: recorded in a manifest at publication, found again in the data of a later day.

Stamps are recorded, since ticks may count from another day when the data have grown at their beginning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from forecaster.series import Panel

__all__ = ["after", "recorded", "ticks_of"]


def recorded(panel: Panel, ticks: np.ndarray) -> Any:
    """Last steps for a manifest: one stamp where series share a clock, else one for each.

    Args:
        panel: Whose ticks they are.
        ticks: Shape (series,).

    Returns:
        ISO text (UTC where the data have a zone) or whole numbers, by unique_id on clocks of their own.
    """
    if panel.shared_clock:
        return _plain(panel.calendar.stamps(np.array([ticks.max()])))[0]
    return dict(zip(map(str, panel.ids), _plain(panel.calendar.stamps(ticks)), strict=True))


def ticks_of(panel: Panel, told: Any) -> np.ndarray:
    """The ticks of recorded stamps in a panel of today; where one is on no step, the step before it.

    Args:
        panel: Data of the same kind as those that were recorded.
        told: As `recorded` gave it.

    Returns:
        Shape (series,); one before the first step for a series that was not there then.
    """
    unknown, newest = int(panel.first.min()) - 1, int(panel.last.max())
    by_series = told if isinstance(told, Mapping) else dict.fromkeys(map(str, panel.ids), told)
    found = [_tick(panel, by_series[str(name)]) if str(name) in by_series else unknown for name in panel.ids]
    return np.clip(np.array(found, np.int64), unknown, newest)


def _tick(panel: Panel, stamp: str | int) -> int:
    """The step of a stamp, or the one before it."""
    return panel.calendar.tick_from(_number(stamp) + 1) - 1


def after(frame: pd.DataFrame, panel: Panel, told: Any) -> np.ndarray:
    """Which rows of a backtest have all their targets after recorded stamps: their cutoffs are not before them.

    Args:
        frame: A backtest on `panel`.
        panel: The data.
        told: As `recorded` gave it.

    Returns:
        Booleans, shape (rows,).
    """
    borders = pd.Series(ticks_of(panel, told), index=panel.ids)
    cutoffs = panel.ticks(pd.Index(frame["cutoff"]))
    return np.asarray(cutoffs >= frame["unique_id"].map(borders).to_numpy(np.int64))


def _plain(stamps: np.ndarray) -> list[Any]:
    if np.issubdtype(stamps.dtype, np.integer):
        return [int(stamp) for stamp in stamps]
    return [pd.Timestamp(stamp).isoformat() for stamp in stamps]


def _number(stamp: str | int) -> int:
    """Microseconds, or the whole number that it is."""
    if isinstance(stamp, int) or stamp.lstrip("-").isdigit():
        return int(stamp)
    moment = pd.Timestamp(stamp)
    plain = moment.tz_convert("UTC").tz_localize(None) if moment.tzinfo else moment
    return int(plain.as_unit("us").asm8.astype(np.int64))
