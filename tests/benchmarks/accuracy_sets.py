"""The data sets of `accuracy.py`: how each is read, and the protocol by which it is usually judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from forecaster.series import Columns, Panel, cutoffs, panel_from_frame

__all__ = ["ROWS", "Part", "Row"]


@dataclass(frozen=True)
class Part:
    """Series of one frequency that are learnt and judged together.

    Args:
        name: Of the part.
        panel: All data.
        horizon: Steps to forecast.
        season: Of MASE and Naive2.
        origins: Ticks of the cutoffs of the test part, shape (windows, series).
        validation: Forecast origins of the validation part, where the usual protocol says so.
        unit: Of each series, by which errors are divided for MSE and MAE; none where these are not usual.
        told: Keys of the model file that the usual protocol sets, as that nothing is learnt from the validation part.
    """

    name: str
    panel: Panel
    horizon: int
    season: int
    origins: np.ndarray
    validation: int | None = None
    unit: dict[str, float] = field(default_factory=dict)
    told: dict[str, float] = field(default_factory=dict)

    @property
    def fitting(self) -> Panel:
        """What comes before the test part."""
        return self.panel.until(self.origins[0])


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Args:
        title: What was forecast.
        headline: Its official metrics, as columns of the scores.
        references: Published or measured figures, for the table.
        read: Reads its parts from the folder of the data.
    """

    title: str
    headline: tuple[str, ...]
    references: str
    read: Callable[[Path], Sequence[Part]]


def _hourly(folder: Path) -> list[Part]:
    return [_m4(folder, "Hourly", "h", 48, 24)]


def _weekly(folder: Path) -> list[Part]:
    return [_m4(folder, "Weekly", "W", 13, 1)]


def _m4(folder: Path, name: str, freq: str, horizon: int, season: int) -> Part:
    parts = [pd.read_csv(folder / "m4" / f"{name}-{part}.csv.gz", index_col=0) for part in ("train", "test")]
    values = [[*parts[0].loc[one].dropna(), *parts[1].loc[one].dropna()] for one in parts[0].index]
    return _ends(name, list(parts[0].index), values, freq, horizon, season)


M3 = {"YEARLY": ("YS", 6, 1), "QUARTERLY": ("QS", 8, 4), "MONTHLY": ("MS", 18, 12), "OTHER": (1, 8, 1)}


def _m3(folder: Path) -> list[Part]:
    table = pd.read_csv(folder / "m3" / "M3.csv.gz")
    parts = []
    for period, (freq, horizon, season) in M3.items():
        some = table[table["period"] == period]
        values = [
            [float(one) for one in f"{row.train} {row.test}".split()]
            for row in some.itertuples()  # type: ignore[attr-defined]
        ]
        parts.append(_ends(period, list(some["id"]), values, freq, horizon, season))
    return parts


def _ends(
    name: str, ids: Sequence[str], values: Sequence[Sequence[float]], freq: str | int, horizon: int, season: int
) -> Part:
    """Series without published dates, each from an assumed first step; the last `horizon` values are the test part."""
    counts = [len(one) for one in values]
    count = max(counts)
    stamps = pd.RangeIndex(1, count + 1) if isinstance(freq, int) else pd.date_range("1950-01-01", None, count, freq)
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(np.asarray(ids), counts),
            "ds": np.concatenate([stamps[:count] for count in counts]),
            "y": np.concatenate([np.asarray(one, np.float64) for one in values]),
        }
    )
    panel = panel_from_frame(frame, Columns(id="unique_id"), freq=freq, clock="own")
    return Part(name, panel, horizon, season, cutoffs(panel, horizon, 1, horizon))


HOURS = (8640, 2880, 2880)
"""ETTh1's training, validation and test parts."""


def _etth1(horizon: int) -> Callable[[Path], list[Part]]:
    """Seven channels as seven series; every window of the test part; errors in units of the training part's spread."""

    def read(folder: Path) -> list[Part]:
        wide = pd.read_csv(folder / "ett" / "ETTh1.csv.gz").iloc[: sum(HOURS)]
        unit = {name: float(wide[name][: HOURS[0]].std(ddof=0)) for name in wide.columns[1:]}
        frame = wide.melt("date", var_name="unique_id", value_name="y").rename(columns={"date": "ds"})
        panel = panel_from_frame(frame, Columns(id="unique_id"), freq="h")
        windows = HOURS[2] - horizon + 1
        origins = cutoffs(panel, horizon, windows, 1)
        return [Part(f"ETTh1-{horizon}", panel, horizon, 24, origins, HOURS[1] // horizon, unit, {"finish": 0.0})]

    return read


CLOCK = ("minute_of_day", "weekday")
"""Calendar features of half-hourly demand."""


def _victoria(known: Sequence[str]) -> Callable[[Path], list[Part]]:
    """The next day, from midnight, through the second half of 2014; with the temperature as it came, or without."""

    def read(folder: Path) -> list[Part]:
        table = pd.read_csv(folder / "energy" / "vic_elec_halfhourly.csv.gz")
        frame = table[["Time", "Demand", *known]].rename(columns={"Time": "ds", "Demand": "y"})
        panel = panel_from_frame(frame, Columns(known=tuple(known)), freq="30min", zone="Australia/Melbourne")
        return [Part("Victoria", panel.with_calendar(CLOCK), 48, 48, cutoffs(panel, 48, 184, 48))]

    return read


def shuffled(read: Callable[[Path], Sequence[Part]]) -> Callable[[Path], list[Part]]:
    """The same with the first known covariate of other moments: it must not help."""

    def changed(folder: Path) -> list[Part]:
        part = read(folder)[0]
        values = part.panel.values.copy()
        column = part.panel.known_columns.start
        values[:, column] = np.random.default_rng(1).permutation(values[:, column])
        return [replace(part, panel=replace(part.panel, values=values))]

    return changed


OWA = ("owa", "smape", "mase")
ETT = "seasonal naive 0.512 / 0.433, SegRNN 0.351 / 0.392, GRU in its paper 1.135 / 0.844"
ROWS = {
    "m4_hourly": Row(
        "M4 Hourly, 414 series, horizon 48: OWA", OWA,
        "Naive2 1.000, M4's RNN benchmark 1.036, seasonal naive 0.628, ES-RNN (winner) 0.440, TiRex zero-shot 0.364",
        _hourly,
    ),
    "m4_weekly": Row(
        "M4 Weekly, 359 series, horizon 13: OWA", OWA,
        "Naive2 1.000, AutoETS 0.934, ES-RNN (winner) 0.851, TiRex zero-shot 0.686", _weekly,
    ),
    "m3": Row(
        "M3, 3003 series: sMAPE over all points", ("smape",), "Naive2 15.46, ForecastPro 13.23, Theta 13.05", _m3
    ),
    "etth1_96": Row("ETTh1, horizon 96: MSE / MAE", ("mse", "mae"), ETT, _etth1(96)),
    "etth1_192": Row("ETTh1, horizon 192: MSE / MAE", ("mse", "mae"), "", _etth1(192)),
    "etth1_336": Row("ETTh1, horizon 336: MSE / MAE", ("mse", "mae"), "", _etth1(336)),
    "etth1_720": Row("ETTh1, horizon 720: MSE / MAE", ("mse", "mae"), "", _etth1(720)),
    "victoria": Row(
        "Victoria demand, 48 half-hours, holidays and the clock known", ("rmse", "mase"), "", _victoria(("Holiday",))
    ),
    "victoria_weather": Row(
        "Victoria demand, temperature known besides", ("rmse", "mase"), "", _victoria(("Temperature", "Holiday"))
    ),
    "victoria_shuffled": Row(
        "Victoria demand, the same temperatures shuffled over time", ("rmse", "mase"), "",
        shuffled(_victoria(("Temperature", "Holiday"))),
    ),
}  # fmt: skip
