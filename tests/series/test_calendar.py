import exchange_calendars
import numpy as np
import pandas as pd
import pytest

from forecaster.errors import DataError
from forecaster.series import EvenSteps, Sessions, calendar_from
from forecaster.series.calendar import OFF_GRID


def stamps(*texts):
    return np.array(texts, "datetime64[us]")


class TestEvenSteps:
    def test_ticks_count_from_the_anchor(self):
        days = calendar_from("D", "2024-03-01", "2024-03-10")
        assert days.ticks(stamps("2024-02-28", "2024-03-01", "2024-03-05")).tolist() == [-2, 0, 4]

    def test_a_stamp_between_two_ticks_is_off_the_grid(self):
        days = calendar_from("D", "2024-03-01T09:00", "2024-03-10T09:00")
        found = days.ticks(stamps("2024-03-02T09:00", "2024-03-02T08:59", "2024-03-02"))
        assert found.tolist() == [1, OFF_GRID, OFF_GRID]

    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    def test_stamps_of_any_unit_are_the_same_moments(self, unit):
        days = calendar_from("D", "2024-03-01", "2024-03-10")
        assert days.ticks(stamps("2024-03-01", "2024-03-05").astype(f"datetime64[{unit}]")).tolist() == [0, 4]

    def test_whole_numbers(self):
        fives = calendar_from(5, 3, 23)
        assert fives.ticks(np.array([3, 8, 9, -2])).tolist() == [0, 1, OFF_GRID, -1]
        assert fives.stamps(np.array([0, 4])).tolist() == [3, 23]

    @pytest.mark.parametrize("year", ["1066", "2024", "9000"])
    def test_any_year_of_four_digits(self, year):
        days = calendar_from("D", f"{year}-03-01T12:00", f"{year}-03-09T12:00")
        assert days.stamps(np.array([0, 1])).tolist() == stamps(f"{year}-03-01T12:00", f"{year}-03-02T12:00").tolist()


@pytest.mark.parametrize(
    ("written", "first", "name", "following"),
    [
        ("h", "2024-02-28T23:00", "h", "2024-02-29T00:00"),
        ("2000ns", "2024-02-28", "2us", "2024-02-28T00:00:00.000002"),
        ("60min", "2024-02-28T23:15", "h", "2024-02-29T00:15"),
        ("1.5h", "2024-02-28T23:00", "90min", "2024-02-29T00:30"),
        ("24h", "2024-02-28", "D", "2024-02-29"),
        ("D", "2024-02-28T09:30", "D", "2024-02-29T09:30"),
        ("2D", "2024-02-28", "2D", "2024-03-01"),
        ("7D", "2024-02-28", "W-WED", "2024-03-06"),
        ("W-WED", "2024-02-28T06:00", "W-WED", "2024-03-06T06:00"),
        ("W", "2024-02-25", "W-SUN", "2024-03-03"),
        ("2W-WED", "2024-02-28", "2W-WED", "2024-03-13"),
        ("B", "2024-03-01", "B", "2024-03-04"),
        ("B", "2024-03-01T16:00", "B", "2024-03-04T16:00"),
        ("2B", "2024-03-01", "2B", "2024-03-05"),
        ("MS", "2024-02-01", "MS", "2024-03-01"),
        ("ME", "2024-02-29", "ME", "2024-03-31"),
        ("ME", "2024-02-29T23:59", "ME", "2024-03-31T23:59"),
        ("2MS", "2024-02-01", "2MS", "2024-04-01"),
        ("BME", "2024-02-29", "BME", "2024-03-29"),
        ("QS", "2024-04-01", "QS-JAN", "2024-07-01"),
        ("QE-DEC", "2024-03-31", "QE-DEC", "2024-06-30"),
        ("YE", "2024-12-31", "YE-DEC", "2025-12-31"),
        ("XNYS", "2024-03-28", "XNYS", "2024-04-01"),  # Good Friday and a weekend
        ("XNYS", "2024-03-28T16:00", "XNYS", "2024-04-01T16:00"),
        ("24/7", "2024-03-29", "24/7", "2024-03-30"),
    ],
)
def test_aliases(written, first, name, following):
    calendar = calendar_from(written, first, following)
    assert calendar.name == name
    assert calendar.ticks(stamps(first, following)).tolist() == [0, 1]
    assert calendar.stamps(np.array([0, 1])).tolist() == stamps(first, following).tolist()


@pytest.mark.parametrize(
    ("freq", "first"),
    [("W-SUN", "2024-01-01"), ("W", "2024-01-01"), ("MS", "2024-01-15"), ("B", "2024-01-06"), ("QE", "2024-01-31")],
)
def test_data_that_begin_off_the_named_grid_have_no_tick(freq, first):
    calendar = calendar_from(freq, first, "2024-12-31")
    assert calendar.ticks(stamps(first)).tolist() == [OFF_GRID]


@pytest.mark.parametrize("freq", ["B", "MS", "QE", "XNYS"])
def test_a_table_of_stamps_reaches_beyond_the_data(freq):
    calendar = calendar_from(freq, "2020-01-01", "2024-03-28")
    last = calendar.ticks(stamps("2024-03-28", "2024-03-01", "2024-03-31")).max()
    ahead = calendar.stamps(last + np.arange(1, 201))
    assert (np.diff(ahead) > np.timedelta64(0)).all()
    assert calendar.ticks(ahead).tolist() == (last + np.arange(1, 201)).tolist()


def test_beyond_its_table_a_calendar_says_how_far_it_is_known():
    calendar = Sessions("XNYS", stamps("2024-01-02", "2024-01-03"))
    with pytest.raises(DataError, match=r"XNYS: known only from 2024-01-02.* to 2024-01-03.*shorter horizon"):
        calendar.stamps(np.array([2]))


@pytest.mark.parametrize(
    ("freq", "fragments"),
    [
        ("fortnight", ["'fortnight' is neither a pandas alias", "W-MON", "XNYS"]),
        ("", ["'' is neither"]),
        ("H", ["'H' is an old alias", "write h"]),
        ("15T", ["'15T' is an old alias", "write 15min"]),
        ("M", ["'M' is an old alias", "write ME"]),
        ("0h", ["'0h' does not go forward", "1h"]),
        ("-1D", ["'-1D' does not go forward"]),
        (0, ["0 is no step", "from 1 on"]),
        ("bh", ["'bh'", "below a day must be even", "h or 30min"]),
        ("XTKSS", ["'XTKSS' is neither"]),
        ("ns", ["'ns' is no whole number of microseconds, the finest steps", "write a coarser one"]),
        ("1500ns", ["'1500ns' is no whole number of microseconds"]),
    ],
)
def test_a_frequency_that_cannot_be(freq, fragments):
    with pytest.raises(DataError) as error:
        calendar_from(freq, 1 if isinstance(freq, int) else "2024-01-01", 9 if isinstance(freq, int) else "2024-02-01")
    assert all(fragment in str(error.value) for fragment in fragments), error.value


@pytest.mark.parametrize(
    ("days_behind", "message"),
    [(5, "the calendar of XSHG ends on .*, before the data"), (500, "the calendar of XSHG cannot be made")],
)
def test_an_exchange_whose_holidays_are_not_known_yet(days_behind, message):
    begin = exchange_calendars.get_calendar("XSHG").bound_max() + pd.Timedelta(days_behind, "D")
    with pytest.raises(DataError, match=f"{message}.*; write another, such as B"):
        calendar_from("XSHG", begin, begin + pd.Timedelta(9, "D"))


def test_names_mean_the_same_grid_again():
    for freq in ("45min", "3D", "W-TUE", "4W-TUE"):
        calendar = calendar_from(freq, "2024-01-02", "2024-03-01")
        assert isinstance(calendar, EvenSteps)
        assert calendar_from(calendar.name, "2024-01-02", "2024-03-01") == calendar
