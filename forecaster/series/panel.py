"""The Panel: the one table shape of the program, checked once at the door.

All series lie one after the other in one contiguous float32 array of shape (total steps, columns), on a
regular grid of ticks: a time stamp without a row is a row of NaN. Windows are views of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from forecaster.errors import DataError
from forecaster.series.calendar import Calendar
from forecaster.series.features import CalendarFeatures
from forecaster.series.filling import Filling

__all__ = ["Panel"]


@dataclass(frozen=True, eq=False)
class Panel:
    """Series on one calendar.

    Args:
        ids: Name of each series, in order; shape (series,).
        values: float32, shape (total steps, columns): the target, then `past`, then `known`. NaN: missing.
        offsets: First row of each series, that of its first observed target, and the number of rows; shape
            (series + 1,).
        first: Tick of each series' first row; shape (series,).
        ends: One behind the last row that may be seen, for each series; later rows are the future, in which
            only `known` columns have values; shape (series,).
        calendar: What ticks mean in dates.
        past: Names of the covariates that are known up to the cutoff.
        known: Names of the covariates that are known over the horizon.
        static: Names of the covariates with one value a series.
        static_values: float32, shape (series, static).
        shared_clock: Whether equal ticks of different series are the same moment, for splitting.
        zone: Time zone in which stamps were written and are given back; inside they are UTC.
        features: Calendar features: known covariates that are computed from ticks and stored nowhere.
        filling: How gaps of the target are filled in what a model sees of it; see `forecaster.series.filling`.
        symbols: Names of the target's values where these are symbols: a value is a place in this list. Empty where
            values are numbers.
        notes: What was found and done at the door, to be shown and recorded.
    """

    ids: np.ndarray
    values: np.ndarray
    offsets: np.ndarray
    first: np.ndarray
    ends: np.ndarray
    calendar: Calendar
    past: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    static_values: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    shared_clock: bool = True
    zone: str | None = None
    features: CalendarFeatures | None = None
    filling: Filling = "none"
    symbols: tuple[str, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> np.ndarray:
        """Steps of each series that may be seen."""
        return np.asarray(self.ends - self.offsets[:-1])

    @property
    def last(self) -> np.ndarray:
        """Tick of the last step of each series that may be seen: the cutoff of its forecast."""
        return np.asarray(self.first + self.lengths - 1)

    @property
    def target(self) -> np.ndarray:
        """The target of all series, one after the other; shape (total steps,)."""
        return self.values[:, 0]

    @property
    def known_columns(self) -> slice:
        """Where the known covariates stand in `values`."""
        return slice(1 + len(self.past), None)

    @property
    def known_inputs(self) -> tuple[str, ...]:
        """Names of all that is known over the horizon: the known covariates, then the calendar features' columns."""
        return (*self.known, *(self.features.columns if self.features else ()))

    def with_calendar(self, names: Sequence[str], zone: str | None = None) -> Panel:
        """The same panel with these calendar features among the known covariates, instead of any that it had.

        Args:
            names: `hour`, `weekday`, `holiday:GB` and so on: see `forecaster.series.features`.
            zone: Whose clock they follow; the zone of the stamps by default.

        Raises:
            DataError: No such feature, one without a meaning for these stamps, or a column of its name exists.

        Example:
            >>> from forecaster import panel_from_frame
            >>> stamps = pd.date_range("2024-01-01", periods=4, freq="h")
            >>> panel_from_frame(pd.DataFrame({"ds": stamps, "y": 1.0})).with_calendar(["hour"]).known_inputs
            ('hour_sin', 'hour_cos')
        """
        if not names:
            return replace(self, features=None)
        if "offsets" in self.notes and not zone:
            raise DataError(
                f"calendar: features follow the local clock, but the stamps are written with changing offsets from UTC "
                f"({self.notes['offsets']}), which tells no zone; write it, for instance `zone: Europe/London`"
            )
        features = CalendarFeatures(names, self.calendar, zone or self.zone)
        if taken := [name for name in (*self.past, *self.known, *self.static) if name in features.columns]:
            raise DataError(f"calendar: the data have a column {taken[0]!r} of their own; rename it, or leave one out")
        clock = f"by the clock of {features.zone}" if features.zone else "by the time stamps as they stand"
        return replace(self, features=features, notes={**self.notes, "calendar": f"{', '.join(names)}; {clock}"})

    def history(self, series: int) -> np.ndarray:
        """The target of one series up to its cutoff, float64, NaN where missing; shape (steps,)."""
        return self.target[self.offsets[series] : self.ends[series]].astype(np.float64)

    def stamps(self, ticks: np.ndarray) -> pd.Index[Any]:
        """Dates of ticks as the user wrote them: with the zone that they came in."""
        stamps = self.calendar.stamps(ticks)
        if self.zone is None:
            index: pd.Index[Any] = pd.Index(stamps)
            return index
        return pd.DatetimeIndex(stamps, tz="UTC").tz_convert(self.zone)

    def ticks(self, stamps: pd.Index[Any]) -> np.ndarray:
        """The way back: ticks of dates as `stamps` gives them."""
        if isinstance(stamps, pd.DatetimeIndex) and stamps.tz is not None:
            stamps = stamps.tz_convert("UTC").tz_localize(None)
        return self.calendar.ticks(stamps.to_numpy())

    def until(self, cutoffs: np.ndarray | int) -> Panel:
        """What was known at a cutoff: later targets and past covariates are gone, not only out of sight.

        Args:
            cutoffs: Tick of the last step to be seen, one for all series or one for each.

        Returns:
            A panel of its own (a copy) with the series that have an observed target by then.

        Raises:
            DataError: No series has one.
        """
        cutoffs = np.broadcast_to(np.asarray(cutoffs, np.int64), len(self))
        ends = np.clip(self.offsets[:-1] + cutoffs - self.first + 1, self.offsets[:-1], self.ends)
        values = self.values.copy()
        hidden = _spans(ends, self.offsets[1:], len(values))
        values[hidden, : self.known_columns.start] = np.nan
        seen = replace(self, values=values, ends=ends)
        alive = np.logical_or.reduceat(np.isfinite(seen.target), self.offsets[:-1])
        return seen if alive.all() else seen.select(np.flatnonzero(alive))

    def select(self, series: np.ndarray | Sequence[int]) -> Panel:
        """Some of the series, by number.

        Raises:
            DataError: None is left.
        """
        series = np.asarray(series, np.int64)
        if not len(series):
            raise DataError("no series has an observed target up to the cutoff; give a later one")
        pieces = [self.values[self.offsets[one] : self.offsets[one + 1]] for one in series]
        offsets = np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])])
        return replace(
            self,
            ids=self.ids[series],
            values=np.concatenate(pieces),
            offsets=offsets,
            first=self.first[series],
            ends=offsets[:-1] + self.lengths[series],
            static_values=self.static_values[series] if self.static else self.static_values,
        )

    def frame(self) -> pd.DataFrame:
        """Long form: unique_id, ds, y and the covariates, a row for every step of the grid."""
        counts = np.diff(self.offsets)
        owner = np.repeat(np.arange(len(self)), counts)
        ticks = np.arange(len(self.values)) - self.offsets[owner] + self.first[owner]
        columns: dict[str, Any] = {"unique_id": self.ids[owner], "ds": self.stamps(ticks), "y": self.target}
        for place, name in enumerate((*self.past, *self.known), start=1):
            columns[name] = self.values[:, place]
        for place, name in enumerate(self.static):
            columns[name] = self.static_values[owner, place]
        return pd.DataFrame(columns)


def _spans(starts: np.ndarray, stops: np.ndarray, length: int) -> np.ndarray:
    """A mask of `length` that is true on every [start, stop); the spans do not overlap."""
    edges = np.zeros(length + 1, np.int8)
    np.add.at(edges, starts, 1)
    np.add.at(edges, stops, -1)
    return np.cumsum(edges[:-1], dtype=np.int8) > 0
