import numpy as np
import pytest

from forecaster.series import calendar_from, find_seasons, metric_season, natural_seasons
from forecaster.series.seasons import season_gain
from tests.series.small import one_series, panel_of_lengths


@pytest.mark.parametrize(
    ("freq", "first", "natural", "metric"),
    [
        ("5min", "2024-01-01", [288, 2016], 288),
        ("30min", "2024-01-01", [48, 336], 48),
        ("h", "2024-01-01", [24, 168], 24),
        ("60min", "2024-01-01", [24, 168], 24),
        ("2h", "2024-01-01", [12, 84], 12),
        ("12h", "2024-01-01", [2, 14], 2),
        ("7h", "2024-01-01", [24], 1),  # a day is not a whole number of steps, a week is
        ("11h", "2024-01-01", [], 1),
        ("D", "2024-01-01", [7], 1),
        ("2D", "2024-01-01", [], 1),
        ("7D", "2024-01-01", [52], 1),
        ("W-SUN", "2024-01-07", [52], 1),
        ("2W-SUN", "2024-01-07", [], 1),
        ("B", "2024-01-01", [5], 1),
        ("2B", "2024-01-01", [], 1),
        ("XNYS", "2024-01-02", [5], 1),
        ("MS", "2024-01-01", [12], 12),
        ("ME", "2024-01-31", [12], 12),
        ("BMS", "2024-01-01", [12], 12),
        ("2MS", "2024-01-01", [6], 6),
        ("5ME", "2024-01-31", [], 1),
        ("QS", "2024-01-01", [4], 4),
        ("QE-DEC", "2024-03-31", [4], 4),
        ("2QE-DEC", "2024-03-31", [2], 2),
        ("YS", "2024-01-01", [], 1),
        ("YE-DEC", "2024-12-31", [], 1),
        ("SMS", "2024-01-01", [], 1),
        (1, 1, [], 1),
        (24, 1, [], 1),
    ],
)
def test_seasons_of_calendars(freq, first, natural, metric):
    calendar = calendar_from(freq, first, first)
    assert natural_seasons(calendar) == natural
    assert metric_season(calendar) == metric


def test_gain_by_hand():
    # 0 1 0 1 …: one step ahead the last value is wrong by 1 each time, the value of two steps ago never
    assert season_gain(one_series([0, 1] * 10), horizon=1, season=2) == 1.0
    # 0 1 2 3 …: the value of three steps ago is wrong by 3, the last value by 1, 2 and 3, on average by 2
    assert season_gain(one_series(range(30)), horizon=3, season=3) == pytest.approx(1 - 3 / 2)
    # season 2: two steps back reach 1 and 2 steps ahead (28 pairs each), four steps back reach 3 ahead (26 pairs)
    gain = 1 - (2 * 28 + 2 * 28 + 4 * 26) / (1 * 28 + 2 * 28 + 3 * 26)
    assert season_gain(one_series(range(30)), horizon=3, season=2) == pytest.approx(gain)


def test_missing_values_have_no_say():
    values = np.array([0.0, 1.0] * 20)
    values[[3, 11, 12]] = np.nan
    assert season_gain(one_series(values), horizon=1, season=2) == 1.0


def test_a_constant_series_has_no_season():
    assert season_gain(one_series([5.0] * 40), horizon=2, season=7) == 0.0


def test_only_cycles_that_pay_are_found():
    hours = np.arange(24 * 28)
    daily = one_series(np.sin(2 * np.pi * hours / 24), freq="h")
    assert list(find_seasons(daily, 24)) == [24, 168]  # the same hour of last week is as good as that of yesterday
    drifting = one_series(hours, freq="h")
    assert find_seasons(drifting, 24) == {}
    assert list(find_seasons(daily, 24, candidates=[24, 36])) == [24]


def test_a_cycle_must_fit_three_times():
    wave = np.sin(2 * np.pi * np.arange(72) / 24)
    assert list(find_seasons(one_series(wave, freq="h"), 24)) == [24]
    assert find_seasons(one_series(wave[:71], freq="h"), 24) == {}


def test_the_median_series_decides():
    swing = np.tile([0.0, 9.0], 10)
    values = np.concatenate([swing, swing, np.arange(20.0)])[:, None]
    assert season_gain(panel_of_lengths([20, 20, 20], values=values), horizon=1, season=2) == 1.0
