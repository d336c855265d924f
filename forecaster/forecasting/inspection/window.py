"""The window that an inspection looks at, and where in time the steps of a recurrence lie."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecaster.errors import DataError
from forecaster.networks.inspection import Trace
from forecaster.series import Panel, Windows
from forecaster.series.localtime import in_zone

__all__ = ["SeenWindow", "choose_window"]


@dataclass(frozen=True, eq=False)
class SeenWindow:
    """One window of a panel.

    Args:
        panel: Where it lies.
        lookback: Steps up to the cutoff.
        horizon: Steps after it.
        series: Number of the series.
        cutoff: Tick of the last step that the network sees.
    """

    panel: Panel
    lookback: int
    horizon: int
    series: int
    cutoff: int

    @property
    def windows(self) -> Windows:
        """The same as the one window of its panel."""
        origin = self.panel.offsets[self.series] + self.cutoff + 1 - self.panel.first[self.series]
        return Windows(self.panel, self.lookback, self.horizon, np.array([self.series]), np.array([origin]))

    @property
    def unique_id(self) -> str:
        """Name of the series."""
        return str(self.panel.ids[self.series])

    @property
    def start(self) -> int:
        """Tick of the first step of the lookback that the series has."""
        return max(self.cutoff + 1 - self.lookback, int(self.panel.first[self.series]))

    def stamps(self, ticks: Any) -> list[str | int]:
        """Time stamps as text (ISO 8601), or integers where the series has those."""
        return [
            stamp.isoformat() if isinstance(stamp, pd.Timestamp) else int(stamp)
            for stamp in self.panel.stamps(np.asarray(ticks, np.int64))
        ]

    def steps(self, trace: Trace, lookback: int) -> tuple[str, np.ndarray]:
        """What the steps of a recurrence read: `lookback`, `horizon`, both, or `steps` where that cannot be told.

        A step reads one time step, or a segment of several.

        Args:
            trace: Of a recurrent layer.
            lookback: Steps up to the cutoff that its network sees; all or fewer of the window's.

        Returns:
            The part, and the ticks at which the steps begin, in order of time, with the tick behind the last one;
            shape (steps + 1,). Ticks count from 0 where the part is `steps`.
        """
        parts = {"lookback": (lookback, 1 - lookback), "horizon": (self.horizon, 1)}
        if "decoder" in trace.layer:
            parts = dict(reversed(parts.items()))
        parts["lookback and horizon"] = (lookback + self.horizon, 1 - lookback)
        for part, (length, begin) in parts.items():
            segment = math.ceil(length / trace.steps)
            if math.ceil(length / segment) == trace.steps:
                end = self.cutoff + begin + length
                return part, np.maximum(end - segment * np.arange(trace.steps, -1, -1), self.start)
        return "steps", np.arange(trace.steps + 1)


def choose_window(
    panel: Panel, lookback: int, horizon: int, series: str | None = None, cutoff: str | int | None = None
) -> SeenWindow:
    """The window to look at; by default the last one of the first series whose whole horizon has come.

    Args:
        panel: The data.
        lookback: Steps up to the cutoff.
        horizon: Steps after it.
        series: Name of a series.
        cutoff: Time stamp of the last step that the network sees.

    Raises:
        DataError: No such series, or it has no such time stamp, or nothing was observed up to it.
    """
    place = _series(panel, series)
    first, last = int(panel.first[place]), int(panel.last[place])
    tick = max(last - horizon, first) if cutoff is None else _tick(panel, place, cutoff)
    seen = panel.history(place)[: tick + 1 - first][-lookback:]
    if not np.isfinite(seen).any():
        stamp = panel.stamps(np.array([tick]))[0]
        raise DataError(f"series {panel.ids[place]}: nothing was observed in the {lookback} steps up to {stamp}")
    return SeenWindow(panel, lookback, horizon, place, tick)


def _series(panel: Panel, name: str | None) -> int:
    if name is None:
        return 0
    found = [place for place, one in enumerate(panel.ids) if str(one) == name]
    if not found:
        known = ", ".join(map(str, panel.ids[:5])) + (f" and {len(panel) - 5} more" if len(panel) > 5 else "")
        raise DataError(f"there is no series {name!r}; the data have {known}")
    return found[0]


def _tick(panel: Panel, place: int, cutoff: str | int) -> int:
    ticks = np.arange(int(panel.first[place]), int(panel.last[place]) + 1)
    stamps = panel.stamps(ticks)
    wanted: Any = cutoff
    try:
        if isinstance(stamps, pd.DatetimeIndex):
            wanted = pd.Timestamp(cutoff)
            wanted = in_zone(wanted, panel.zone) if panel.zone else wanted
        else:
            wanted = int(cutoff)
        found = np.flatnonzero(stamps == wanted)
    except (ValueError, TypeError) as error:
        raise DataError(
            f"cutoff {cutoff!r} is no time stamp of the data ({error}); write one as {stamps[-1]}"
        ) from None
    if not len(found):
        raise DataError(
            f"series {panel.ids[place]} has no time stamp {cutoff}; it has steps of {panel.calendar.name} from "
            f"{stamps[0]} to {stamps[-1]}"
        )
    return int(ticks[found[0]])
