import numpy as np
import pandas as pd
import pytest

from forecaster.errors import DataError
from forecaster.series import EvenSteps, infer_calendar


def infer(*series):
    return infer_calendar([pd.DatetimeIndex(one).to_numpy("datetime64[us]") for one in series])


def grid(freq, periods=60, start="2024-01-01", without=()):
    index = pd.date_range(start, periods=periods, freq=freq)
    return index.delete(list(without))


@pytest.mark.parametrize(
    ("stamps", "name"),
    [
        (grid("h"), "h"),
        (grid("h", without=[3, 4, 5, 20, 40]), "h"),
        (grid("h", start="2024-01-01T00:17"), "h"),
        (grid("30min"), "30min"),
        (grid("3h", without=[7]), "3h"),
        (grid("90s"), "90s"),
        (grid("250ms"), "250ms"),
        (grid("D"), "D"),
        (grid("D", without=[3, 17, 18, 44]), "D"),
        (grid("D", start="2024-01-01T06:00"), "D"),
        (grid("2D", without=[5]), "2D"),
        (grid("B"), "B"),
        (grid("B", without=[4, 9, 30]), "B"),
        (grid("B", periods=10), "D"),  # two weeks are too few to know that weekends are never there
        (grid("W-MON"), "W-MON"),
        (grid("W-SUN", without=[5]), "W-SUN"),
        (grid("2W-FRI"), "2W-FRI"),
        (grid("MS"), "MS"),
        (grid("ME"), "ME"),
        (grid("ME", without=[1, 2, 9]), "ME"),
        (grid("ME", start="2024-01-31T12:00"), "ME"),
        (grid("2MS"), "2MS"),
        (grid("QS"), "QS-JAN"),
        (grid("QE-DEC"), "QE-DEC"),
        (grid("YS"), "YS-JAN"),
        (grid("YE-DEC"), "YE-DEC"),
        (grid("YE-JUN"), "4QE-DEC"),
        (grid("5YS", periods=12), "5YS-JAN"),
    ],
)
def test_what_is_inferred(stamps, name):
    calendar = infer(stamps)
    assert calendar.name == name
    ticks = calendar.ticks(stamps.to_numpy("datetime64[us]"))
    assert ticks[0] == 0
    assert (np.diff(ticks) >= 1).all()
    assert (np.diff(ticks) == 1).mean() > 0.8


@pytest.mark.parametrize(("stamps", "width"), [(range(1, 20), 1), (range(0, 100, 5), 5), ([10, 20, 40, 50, 60], 10)])
def test_whole_numbers(stamps, width):
    assert infer_calendar([np.array(stamps)]) == EvenSteps(str(width), width, stamps[0], numeric=True)


def test_all_series_have_a_say():
    assert infer(grid("h", 3), grid("30min", 40)).name == "30min"


@pytest.mark.parametrize(
    ("series", "fragments"),
    [
        ([["2024-01-01"]], ["from 1 time stamp;", "`freq: h`"]),
        ([["2024-01-01", "2024-01-02"]], ["from 2 time stamps;"]),
        ([["2024-01-01"], ["2024-01-02"], ["2024-01-03"]], ["from 3 time stamps in series of one row each"]),
        (
            [[*grid("D", 9), pd.Timestamp("2024-01-10T07:13")]],
            ["89% of the steps are 1 day", "one of 1 day 07:13:00", "a grid of 00:01:00", "10 stamps", "`freq:`"],
        ),
        ([["2024-01-01", "2024-01-03", "2024-01-05", "2024-01-08"]], ["67% of the steps are 2 days", "one of 3 days"]),
    ],
)
def test_what_cannot_be_inferred(series, fragments):
    with pytest.raises(DataError) as error:
        infer(*series)
    assert all(fragment in str(error.value) for fragment in fragments), error.value


def test_irregular_whole_numbers():
    with pytest.raises(DataError, match=r"75% of the steps are 10, but there is one of 7, and only a grid of 1 would"):
        infer_calendar([np.array([0, 10, 20, 30, 37])])
