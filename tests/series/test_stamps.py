import numpy as np
import pandas as pd
import pytest
from dateutil.tz import gettz

from forecaster.errors import DataError
from forecaster.series import Columns, panel_from_frame
from forecaster.series.rawtable import RawTable
from forecaster.series.stamps import parse_stamps
from tests.series.small import days


def parse(stamps, time_format=None):
    table = RawTable(pd.DataFrame({"ds": stamps}), Columns(), "a.csv", 2)
    parsed, zone = parse_stamps(table, time_format)
    return parsed, zone, table.notes


def error_of(stamps, time_format=None):
    with pytest.raises(DataError) as error:
        parse(stamps, time_format)
    return str(error.value)


@pytest.mark.parametrize(
    ("stamps", "time_format", "expected"),
    [
        (["2024-01-31", "2024-02-01T13:30", "2024-02-01 13:30:15.5"], None, None),
        (["2024/01/31"], None, ["2024-01-31"]),
        (["2024-01", "2024-02"], None, ["2024-01-01", "2024-02-01"]),
        (["31/01/2024"], "%d/%m/%Y", ["2024-01-31"]),
        (["01.02.2024 13h"], "%d.%m.%Y %Hh", ["2024-02-01T13"]),
        ([20240131, 20240201], "%Y%m%d", ["2024-01-31", "2024-02-01"]),
        ([pd.Timestamp("2024-01-31").date()], None, ["2024-01-31"]),
        (pd.to_datetime(["2024-01-31"]).as_unit("ns"), None, ["2024-01-31"]),
        (["9999-12-31"], None, ["9999-12-31"]),
    ],
)
def test_dates(stamps, time_format, expected):
    parsed, zone, notes = parse(stamps, time_format)
    assert parsed.dtype == "datetime64[us]"
    assert parsed.tolist() == np.array(stamps if expected is None else expected, "datetime64[us]").tolist()
    assert (zone, notes) == (None, {})


def test_whole_numbers_stay_whole_numbers():
    parsed, zone, _ = parse([3, 1, 2])
    assert (parsed.tolist(), parsed.dtype, zone) == ([3, 1, 2], np.int64, None)


@pytest.mark.parametrize(
    ("stamps", "time_format", "fragments"),
    [
        (["2024-01-01", None], None, ["a.csv, row 3, column 'ds': no time stamp"]),
        (
            ["31/01/2024"],
            None,
            ["row 2, column 'ds'", "'31/01/2024' is no date as ISO 8601", "time_format:`", "%d/%m/%Y"],
        ),
        (["2024-01-01", "01/02/2024"], None, ["row 3", "'01/02/2024' is no date as ISO 8601"]),
        (["2024-13-01"], None, ["'2024-13-01' is no date"]),
        (["20000-01-01"], None, ["'20000-01-01' is no date"]),
        (["soon"], None, ["'soon' is no date"]),
        (["2024-01-01", ""], None, ["row 3", "'' is no date as ISO 8601"]),
        (["NaT"], "%d/%m/%Y", ["'NaT' is no date in the format '%d/%m/%Y'"]),
        (["2024-01-31"], "%d/%m/%Y", ["'2024-01-31' is no date in the format '%d/%m/%Y'"]),
        (["2024-01-31"], "abc", ["is no date in the format 'abc'"]),
        (["2024-01-31"], "%Q", ["a.csv: time_format '%Q' cannot be used", "%d/%m/%Y %H:%M"]),
        ([1.0, 2.0], None, ["row 2, column 'ds': 1.0 is no date", "whole numbers"]),
        ([45321.5], None, ["45321.5 is no date"]),
        ([True, False], None, ["True is no date"]),
        (["2024-01-01T00:00+01:00", "2024-01-02T00:00"], None, ["row 3", "differ in having a time zone", "or none"]),
        (["2024-01-01", "2024-01-02T00:00Z"], None, ["row 3", "'2024-01-02T00:00Z' and '2024-01-01'"]),
        (["2024-01-01 00:00", "2024-01-02 00:00+01"], None, ["differ in having a time zone"]),
        (pd.to_datetime(np.arange(8) * 1500), None, ["row 3, column 'ds'", "between two microseconds", "round the"]),
        (pd.to_datetime(np.arange(8) * 250, utc=True), None, ["row 3, column 'ds'", "between two microseconds"]),
        (np.arange(2**64 - 3, 2**64 - 1, dtype=np.uint64), None, ["row 2", "18446744073709551613 is above 2^62"]),
        ([2**62 + 1], None, ["4611686018427387905 is above 2^62 in size"]),
    ],
)
def test_what_is_refused(stamps, time_format, fragments):
    message = error_of(stamps, time_format)
    assert all(fragment in message for fragment in fragments), message


class TestZones:
    def test_hours_become_utc_and_keep_their_zone(self):
        stamps = pd.date_range("2024-03-30T22:00", periods=4, freq="h", tz="Europe/Berlin")
        parsed, zone, notes = parse(stamps)
        assert parsed.tolist() == stamps.tz_convert("UTC").tz_localize(None).to_numpy("datetime64[us]").tolist()
        assert zone == "Europe/Berlin"
        assert notes == {"time zone": "Europe/Berlin; steps are counted in UTC"}

    @pytest.mark.parametrize(
        ("stamps", "zone"),
        [
            (["2024-01-01T01:00+01:00", "2024-01-01T02:00+01:00"], "UTC+01:00"),
            (["2024-01-01T00:00Z", "2024-01-01T01:00Z"], "UTC"),
            (["2024-03-31T01:00:00+01:00", "2024-03-31T03:00:00+02:00"], "UTC"),
            (["2024-03-31 01:00:00+01", "2024-03-31 03:00:00+02"], "UTC"),
        ],
    )
    def test_offsets_in_text(self, stamps, zone):
        parsed, found, _ = parse(stamps)
        assert np.diff(parsed).tolist() == [pd.Timedelta(1, "h")]
        assert found == zone

    @pytest.mark.parametrize("change", ["2024-03-29", "2024-10-25"])
    def test_hours_across_a_change_of_clocks_are_even(self, change):
        stamps = pd.date_range(change, periods=96, freq="h", tz="Europe/Berlin")
        as_text = [stamp.isoformat() for stamp in stamps]
        for column in (stamps, as_text):
            panel = panel_from_frame(pd.DataFrame({"ds": column, "y": range(96)}))
            assert panel.calendar.name == "h"
            assert panel.notes["gaps"] == "none"
            assert list(panel.frame()["ds"]) == list(stamps)

    @pytest.mark.parametrize(("start", "freq", "name"), [("2024-03-29", "D", "D"), ("2024-01-01", "MS", "MS")])
    def test_midnights_across_a_change_of_clocks_are_days(self, start, freq, name):
        stamps = pd.date_range(start, periods=9, freq=freq, tz="Europe/Berlin")
        as_text = [stamp.isoformat() for stamp in stamps]
        for column in (stamps, as_text):
            panel = panel_from_frame(pd.DataFrame({"ds": column, "y": range(9)}))
            assert panel.calendar.name == name
            assert list(panel.frame()["ds"]) == list(stamps.tz_localize(None))
            assert "without their zone" in panel.notes["time zone"]

    @pytest.mark.parametrize("time_format", ["%Y-%m-%dT%H:%M%z", "%d/%b/%Y:%H:%M:%S %z", "%a %d %b %H:%M:%S %z %Y"])
    def test_offsets_in_a_format_of_their_own(self, time_format):
        """Read as in ISO 8601: midnights are days, and hours with changing offsets tell no zone."""
        midnights = pd.date_range("2024-03-28", periods=9, tz="Europe/Berlin")
        frame = pd.DataFrame({"ds": midnights.strftime(time_format), "y": range(9)})
        panel = panel_from_frame(frame, time_format=time_format)
        assert list(panel.frame()["ds"]) == list(midnights.tz_localize(None))
        stamps = pd.date_range("2024-03-28", periods=120, freq="h", tz="Europe/Berlin")
        frame = pd.DataFrame({"ds": stamps.strftime(time_format), "y": range(120)})
        panel = panel_from_frame(frame, time_format=time_format)
        assert panel.notes["gaps"] == "none" and list(panel.frame()["ds"]) == list(stamps)
        with pytest.raises(DataError, match=r"changing offsets from UTC \(\+01:00 and \+02:00\), which tells no zone"):
            panel.with_calendar(["hour"])

    def test_forecasts_come_back_on_the_clock_of_the_data(self):
        stamps = pd.date_range("2024-03-30T12:00", periods=12, freq="h", tz="Europe/Berlin")
        panel = panel_from_frame(pd.DataFrame({"ds": stamps, "y": range(12)}))
        ahead = panel.stamps(panel.last[0] + np.arange(1, 5))
        assert [str(stamp) for stamp in ahead] == [
            "2024-03-31 00:00:00+01:00",
            "2024-03-31 01:00:00+01:00",
            "2024-03-31 03:00:00+02:00",
            "2024-03-31 04:00:00+02:00",
        ]

    def test_local_time_without_a_zone_repeats_an_hour_in_autumn(self):
        stamps = pd.date_range("2024-10-27", periods=5, freq="h", tz="Europe/Berlin").tz_localize(None)
        with pytest.raises(DataError, match=r"row 3.*twice.*where clocks were put back.*offset from UTC"):
            panel_from_frame(pd.DataFrame({"ds": stamps, "y": range(5)}))

    def test_a_zone_without_a_name(self):
        stamps = pd.date_range("2024-01-01", periods=3, freq="h", tz=gettz("Europe/Berlin"))
        assert "tz_convert" in error_of(stamps)


def test_daily_sessions_with_offsets_stay_days():
    stamps = [f"{day}T00:00:00{'-05:00' if day < '2024-03-10' else '-04:00'}" for day in days(30, "2024-03-01", "B")]
    panel = panel_from_frame(pd.DataFrame({"ds": stamps, "y": range(30)}))
    assert panel.calendar.name == "B"
    assert panel.notes["gaps"] == "none"


def test_one_row_of_hours_keeps_its_zone_where_the_frequency_is_known():
    """All of its stamps show the same time of day, which says nothing of days."""
    frame = pd.DataFrame({"ds": ["2024-03-31T23:00:00+02:00"], "y": [1.0]})
    for freq, zone in (("h", "Europe/Berlin"), ("D", None)):
        panel = panel_from_frame(frame, freq=freq, zone="Europe/Berlin")
        assert panel.zone == zone and len(panel.target) == 1
    local = panel_from_frame(frame.assign(ds="2024-03-31 23:00"), freq="h", zone="Europe/Berlin")
    assert str(local.stamps(local.last)[0]) == "2024-03-31 23:00:00+02:00"
