"""Calendar features: what each one says at stamps whose answer is known, and where they cannot be had."""

import builtins

import numpy as np
import pandas as pd
import pytest

from forecaster.config import read_pipeline
from forecaster.config.features import FEATURES
from forecaster.errors import DataError, DefinitionError
from forecaster.series import Columns, EvenSteps, calendar_from, forecast_windows, panel_from_frame, training_windows
from forecaster.series.features import CalendarFeatures
from forecaster.series.source import load


def features(names, start, steps, freq, zone=None):
    """Rows of some features from a stamp on."""
    calendar = calendar_from(freq, start, start)
    made = CalendarFeatures(names, calendar, zone)
    first = int(calendar.ticks(np.array([start], "datetime64[us]"))[0])
    return made.rows(first + np.arange(steps))


def panel(start="2024-01-01", steps=240, freq="h", **columns):
    stamps = pd.date_range(start, periods=steps, freq=freq)
    return panel_from_frame(pd.DataFrame({"ds": stamps, "y": np.arange(steps) % 24.0, **columns}), freq=freq)


@pytest.mark.parametrize(
    ("name", "stamp", "freq", "share"),
    [
        ("minute_of_day", "2024-05-01T18:45", "15min", 1125 / 1440),
        ("hour", "2024-05-01T18:45", "15min", 18 / 24),
        ("weekday", "2024-01-01T00:00", "D", 0),
        ("weekday", "2024-01-07T00:00", "D", 6 / 7),
        ("day_of_month", "2024-02-29T00:00", "D", 28 / 29),
        ("month", "2024-12-31T23:00", "h", 11 / 12),
        ("day_of_year", "2024-12-31T00:00", "D", 365 / 366),
        ("day_of_year", "2023-12-31T00:00", "D", 364 / 365),
        ("week_of_year", "2020-12-31T00:00", "D", 52 / 53),
        ("week_of_year", "2024-12-30T00:00", "D", 0),
        ("week_of_year", "2021-01-03T00:00", "D", 52 / 53),
    ],
)
def test_a_periodic_feature_is_a_point_on_the_circle(name, stamp, freq, share):
    row = features([name], stamp, 1, freq)[0]
    assert row == pytest.approx([np.sin(2 * np.pi * share), np.cos(2 * np.pi * share)], abs=1e-6)


def test_every_name_gives_its_columns_in_order_and_says_how_it_is_computed():
    made = CalendarFeatures(["hour", "holiday:GB", "weekday"], calendar_from("h", "2024-01-01", "2024-01-01"))
    assert made.columns == ("hour_sin", "hour_cos", "holiday:GB", "weekday_sin", "weekday_cos")
    assert made.definitions["weekday_cos"] == "cos(2 pi x), x = weekday (Monday 0) / 7"
    assert "package holidays" in made.definitions["holiday:GB"]


def test_public_holidays_of_a_country_and_of_a_region():
    days = features(["holiday:GB"], "2024-12-24T00:00", 4, "D")[:, 0]
    assert days.tolist() == [0, 1, 1, 0]
    cup_day = features(["holiday:AU-VIC", "holiday:AU-NSW"], "2014-11-04T00:00", 1, "D")[0]
    assert cup_day.tolist() == [1, 0]
    hours = features(["holiday:GB"], "2023-12-31T20:00", 8, "h")[:, 0]
    assert hours.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


def test_session_features_follow_the_exchange():
    """Independence Day 2024 was a Thursday; the week before had all five sessions."""
    rows = features(["session_gap", "session_of_week"], "2024-06-26T00:00", 9, "XNYS")
    assert np.isnan(rows[0]).all()
    assert rows[1:, 0].tolist() == [1, 1, 3, 1, 1, 2, 3, 1]
    assert np.isnan(rows[:3, 1]).all(), "the first week began before the data"
    assert rows[3:, 1].tolist() == [0, 1, 2, 3, 0, 1]


def test_features_follow_the_local_clock_across_daylight_saving():
    """London, 31 March 2024: after 00:59 came 02:00; 27 October: after 01:59 came 01:00."""

    def hours(start):
        rows = features(["hour"], start, 4, "h", "Europe/London")
        return (np.round(np.arctan2(rows[:, 0], rows[:, 1]) / (2 * np.pi) * 24) % 24).tolist()

    assert hours("2024-03-30T23:00") == [23, 0, 2, 3]
    assert hours("2024-10-26T23:00") == [0, 1, 1, 2]


def test_a_holiday_begins_at_local_midnight():
    day = features(["holiday:AU-VIC"], "2014-11-03T12:00", 4, "h", "Australia/Melbourne")[:, 0]
    assert day.tolist() == [0, 1, 1, 1]


def test_stamps_with_changing_offsets_need_a_zone_for_calendar_features():
    stamps = [*pd.date_range("2024-03-30", periods=72, freq="h", tz="Europe/London").map(pd.Timestamp.isoformat)]
    frame = pd.DataFrame({"ds": stamps, "y": 1.0})
    mixed = panel_from_frame(frame)
    with pytest.raises(DataError, match=r"changing offsets from UTC \(\+00:00 and \+01:00\).*`zone: Europe/London`"):
        mixed.with_calendar(["hour"])
    told = panel_from_frame(frame, zone="Europe/London").with_calendar(["hour"])
    assert told.notes["calendar"] == "hour; by the clock of Europe/London"
    assert str(told.stamps(told.last)[0]) == "2024-04-02 00:00:00+01:00"
    local = panel_from_frame(frame.assign(ds=[stamp[:16] for stamp in stamps]), zone="Europe/London")
    rows = told.features.rows(np.arange(72))
    assert np.array_equal(local.with_calendar(["hour"]).features.rows(np.arange(72)), rows)


def test_windows_have_them_behind_the_data_over_the_whole_horizon():
    batch = forecast_windows(panel(), 24, 48).gather(slice(None))
    assert batch.known.shape == (1, 48, 0)
    ours = forecast_windows(panel().with_calendar(["hour", "weekday"]), 24, 48).gather(slice(None))
    assert ours.past.shape == (1, 24, 5) and ours.known.shape == (1, 48, 4)
    angles = 2 * np.pi * np.arange(48) / 24
    assert ours.known[0, :, 0] == pytest.approx(np.sin(angles), abs=1e-6)
    assert ours.past[0, :, 1] == pytest.approx(np.sin(angles[:24]), abs=1e-6)
    assert (ours.past[:, :, 0] == batch.past[:, :, 0]).all()


def test_they_stand_behind_the_known_covariates_of_the_data():
    stamps = pd.date_range("2024-01-01", periods=100, freq="h")
    frame = pd.DataFrame({"ds": stamps, "y": 1.0, "load": 2.0, "price": np.arange(100.0)})
    ours = panel_from_frame(frame, Columns(past=["load"], known=["price"])).with_calendar(["hour"])
    assert ours.known_inputs == ("price", "hour_sin", "hour_cos")
    batch = training_windows(ours, 5, 3).gather(slice(1))
    assert batch.past[0, 0, :3].tolist() == [1, 2, 0] and batch.known[0, :, 0].tolist() == [5, 6, 7]
    assert batch.known[0, 1, 1:] == pytest.approx([1, 0], abs=1e-6), "six o'clock"


def test_series_that_begin_later_have_theirs_at_their_own_stamps_and_none_before():
    frame = pd.concat(
        pd.DataFrame({"unique_id": name, "ds": pd.date_range(start, periods=steps, freq="h"), "y": 1.0})
        for name, start, steps in (("a", "2024-01-01", 100), ("b", "2024-01-03T05:00", 20))
    )
    ours = panel_from_frame(frame, Columns("unique_id")).with_calendar(["minute_of_day"])
    batch = forecast_windows(ours, 30, 2).gather(slice(None))
    assert np.isnan(batch.past[1, :10, 1:]).all()
    assert batch.past[1, 10, 1] == pytest.approx(np.sin(2 * np.pi * 5 / 24), abs=1e-6)
    assert np.isfinite(batch.past[0]).all() and np.isfinite(batch.known).all()


def test_the_order_of_asking_does_not_matter():
    calendar = EvenSteps("h", 3_600_000_000, 0)
    names = ["hour", "month", "week_of_year", "holiday:GB"]
    patient, hasty = CalendarFeatures(names, calendar), CalendarFeatures(names, calendar)
    ticks = np.arange(-3_000, 9_000)
    whole = patient.rows(ticks)
    for part in ([5_000, 5_001], [-3_000], [8_999, 0], [[100, 200], [300, 400]]):
        assert np.array_equal(hasty.rows(np.array(part)), whole[np.array(part) + 3_000])


@pytest.mark.parametrize(
    ("names", "made", "fragment"),
    [
        (["houre"], {}, r"'houre' is no calendar feature \(did you mean hour\?\)"),
        (["hour"], {"freq": "D"}, "hour is the same at every step of D"),
        (["weekday"], {"freq": "W-MON"}, "weekday is the same at every step of W-MON"),
        (["session_gap"], {}, "needs the sessions of an exchange or business days, but the steps are h"),
        (["session_gap"], {"freq": "MS"}, "needs the sessions of an exchange"),
        (["holiday:XX"], {}, "no country XX.*ISO 3166"),
        (["holiday:AU-VICTORIA"], {}, "the regions of AU are ACT, NSW"),
        (["hour", "hour"], {}, "a feature is there twice"),
    ],
)
def test_features_that_cannot_be_had_say_why(names, made, fragment):
    with pytest.raises(DataError, match=fragment):
        panel(**made).with_calendar(names)


def test_whole_numbers_have_no_calendar():
    numbers = panel_from_frame(pd.DataFrame({"ds": range(20), "y": 1.0}))
    for name in (*FEATURES, "holiday:GB"):
        with pytest.raises(DataError, match=f"{name} needs dates, but the time stamps are whole numbers"):
            numbers.with_calendar([name])


def test_a_column_of_the_same_name_is_refused():
    stamps = pd.date_range("2024-01-01", periods=9, freq="h")
    taken = panel_from_frame(pd.DataFrame({"ds": stamps, "y": 1.0, "hour_sin": 0.0}), Columns(known=["hour_sin"]))
    with pytest.raises(DataError, match="a column 'hour_sin' of their own"):
        taken.with_calendar(["hour"])


def test_holidays_without_the_package_name_the_extra(monkeypatch):
    honest = builtins.__import__

    def refusing(name, *rest):
        if name == "holidays":
            raise ImportError(name)
        return honest(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refusing)
    with pytest.raises(DataError, match=r"needs the package holidays; install forecaster\[calendar\]"):
        panel().with_calendar(["holiday:GB"])


def test_a_pipeline_file_asks_for_them_by_name(tmp_path):
    stamps = pd.date_range("2024-06-01", periods=60, freq="h", tz="Europe/London")
    pd.DataFrame({"ds": stamps.map(pd.Timestamp.isoformat), "y": 1.0}).to_csv(tmp_path / "a.csv", index=False)
    file = tmp_path / "a.yaml"
    file.write_text("data:\n  path: a.csv\n  zone: Europe/London\n  calendar: [hour, holiday:GB]\nhorizon: 3\n")
    ours = load(read_pipeline(file).data, tmp_path, tmp_path)
    assert ours.known_inputs == ("hour_sin", "hour_cos", "holiday:GB")
    file.write_text("data:\n  path: a.csv\n  calendar: [hour, weekdai, holiday:Britain]\nhorizon: 3\n")
    with pytest.raises(DefinitionError, match=r"a.yaml:3: data.calendar\[1\]: 'weekdai' .*mean weekday") as told:
        read_pipeline(file)
    assert "data.calendar[2]: 'holiday:Britain' is no calendar feature" in str(told.value)
    file.write_text("data:\n  path: a.csv\n  calendar: [hour, hour]\nhorizon: 3\n")
    with pytest.raises(DefinitionError, match="hour is there twice"):
        read_pipeline(file)
