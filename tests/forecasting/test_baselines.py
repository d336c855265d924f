"""The naive forecasts: by hand, against slow implementations of what was published; intervals by simulation."""

import math

import numpy as np
import pandas as pd
import pytest

from forecaster import NaiveForecaster, drift, mean, naive, naive2, seasonal_naive
from forecaster.errors import DefinitionError, LevelError
from forecaster.forecasting.seasonality import autocorrelations, is_seasonal, seasonal_indices
from forecaster.series import Columns, autocorrelation, panel_from_frame

NAN = np.nan


def history(*values):
    return np.array(values, float)


def centre(rule, values, horizon=3, season=1):
    return rule(history(*values), horizon, season)[0].tolist()


def deviation(rule, values, horizon=3, season=1):
    return rule(history(*values), horizon, season)[1].tolist()


class TestNaive:
    def test_by_hand(self):
        assert centre(naive, [5, 7, 6]) == [6, 6, 6]
        sigma = math.sqrt((4 + 1) / 2)
        assert deviation(naive, [5, 7, 6]) == pytest.approx([sigma, sigma * math.sqrt(2), sigma * math.sqrt(3)])

    def test_missing_at_the_end_makes_it_less_sure(self):
        assert centre(naive, [5, 7, 6, NAN, NAN]) == [6, 6, 6]
        sigma = math.sqrt((4 + 1) / 2)
        assert deviation(naive, [5, 7, 6, NAN, NAN], horizon=1) == pytest.approx([sigma * math.sqrt(3)])

    def test_a_change_over_a_gap_counts_as_the_sum_of_its_steps(self):
        sigma = math.sqrt((1**2 + 6**2 / 3) / 2)
        assert deviation(naive, [1, 2, NAN, NAN, 8], horizon=1) == pytest.approx([sigma])

    def test_one_value_is_repeated_without_knowing_how_sure_it_is(self):
        assert centre(naive, [4]) == [4, 4, 4]
        assert deviation(naive, [NAN, 4]) == [0, 0, 0]


class TestSeasonalNaive:
    def test_by_hand(self):
        values = [1, 2, 3, 4, 6, 8]
        assert centre(seasonal_naive, values, 7, 3) == [4, 6, 8, 4, 6, 8, 4]
        sigma = math.sqrt((9 + 16 + 25) / 3)
        expected = [sigma] * 3 + [sigma * math.sqrt(2)] * 3 + [sigma * math.sqrt(3)]
        assert deviation(seasonal_naive, values, 7, 3) == pytest.approx(expected)

    def test_a_history_that_is_no_whole_number_of_seasons(self):
        assert centre(seasonal_naive, [9, 1, 2, 3, 4], 4, 3) == [2, 3, 4, 2]

    def test_a_place_that_is_missing_last_time_is_taken_from_the_season_before_and_is_less_sure(self):
        values = [1, 2, 3, 2, 4, 6, 3, NAN, 9]
        assert centre(seasonal_naive, values, 3, 3) == [3, 4, 9]
        sigma = math.sqrt((1 + 1 + 4 + 9 + 9) / 5)
        assert deviation(seasonal_naive, values, 3, 3) == pytest.approx([sigma, sigma * math.sqrt(2), sigma])

    def test_a_change_over_a_missing_season_counts_as_two(self):
        values = [1, 10, NAN, 10, 5, 10]
        assert deviation(seasonal_naive, values, 1, 2) == pytest.approx([math.sqrt((4**2 / 2 + 0 + 0) / 3)])

    def test_a_place_that_was_never_observed_is_forecast_by_the_last_value(self):
        values = [1, NAN, 3, 2, NAN, 5]
        assert centre(seasonal_naive, values, 3, 3) == [2, 5, 5]
        assert deviation(seasonal_naive, values, 3, 3)[1] == pytest.approx(deviation(naive, values, 3)[1])

    def test_a_history_shorter_than_a_season_is_forecast_by_the_last_value(self):
        assert centre(seasonal_naive, [1, 5, 7], 3, 4) == [7, 7, 7]
        assert deviation(seasonal_naive, [1, 5, 7], 3, 4) == deviation(naive, [1, 5, 7], 3)

    def test_a_single_season_is_repeated_as_unsurely_as_the_last_value(self):
        assert centre(seasonal_naive, [1, 5, 7], 3, 3) == [1, 5, 7]
        assert deviation(seasonal_naive, [1, 5, 7], 3, 3) == deviation(naive, [1, 5, 7], 3)

    def test_season_1_is_the_naive_forecast(self):
        values = [3, NAN, 4, 8, NAN]
        assert centre(seasonal_naive, values) == centre(naive, values)
        assert deviation(seasonal_naive, values) == deviation(naive, values)


class TestDrift:
    def test_by_hand(self):
        assert centre(drift, [1, 2, 5, 7]) == [9, 11, 13]
        sigma = math.sqrt(((1 - 2) ** 2 + (3 - 2) ** 2 + (2 - 2) ** 2) / 2)
        expected = [sigma * math.sqrt(k * (1 + k / 3)) for k in (1, 2, 3)]
        assert deviation(drift, [1, 2, 5, 7]) == pytest.approx(expected)

    def test_the_line_runs_through_the_first_and_the_last_observed_value(self):
        assert centre(drift, [NAN, 1, NAN, 5, NAN]) == [9, 11, 13]
        assert centre(drift, [1, NAN, 2, 9]) == pytest.approx([9 + 8 / 3 * k for k in (1, 2, 3)])

    def test_missing_at_the_end_makes_it_less_sure(self):
        complete, late = deviation(drift, [1, 2, 5, 7], 3), deviation(drift, [1, 2, 5, 7, NAN], 2)
        assert late == pytest.approx(complete[1:])

    def test_one_value_has_no_slope(self):
        assert centre(drift, [NAN, 4, NAN]) == [4, 4, 4]
        assert deviation(drift, [NAN, 4, NAN]) == [0, 0, 0]


class TestMean:
    def test_by_hand(self):
        assert centre(mean, [1, NAN, 2, 6]) == [3, 3, 3]
        assert deviation(mean, [1, NAN, 2, 6]) == pytest.approx([math.sqrt((4 + 1 + 9) / 2 * (1 + 1 / 3))] * 3)

    def test_one_value(self):
        assert centre(mean, [NAN, 4]) == [4, 4, 4]
        assert deviation(mean, [NAN, 4]) == [0, 0, 0]


def m4_seasonality_test(x, m):
    """`SeasonalityTest` of M4's "Benchmarks and Evaluation.R", line by line, with R's acf."""
    n = len(x)
    if n < 3 * m:
        return False
    average = sum(x) / n
    total = sum((v - average) ** 2 for v in x)
    if total == 0:
        return False
    acf = [sum((x[t] - average) * (x[t + k] - average) for t in range(n - k)) / total for k in range(1, m + 1)]
    limits, running = [], 1.0
    for r in acf:
        limits.append(1.645 / math.sqrt(n) * math.sqrt(running))
        running += 2 * r**2
    return abs(acf[m - 1]) > limits[m - 1]


def r_decompose_figure(x, m):
    """The figure of R's decompose(type = "multiplicative"), line by line."""
    weights = [0.5] + [1.0] * (m - 1) + [0.5] if m % 2 == 0 else [1.0] * m
    half = len(weights) // 2
    ratios = {}
    for t in range(half, len(x) - half):
        trend = sum(w * x[t - half + i] for i, w in enumerate(weights)) / m
        ratios[t] = x[t] / trend
    figure = []
    for place in range(m):
        own = [ratio for t, ratio in ratios.items() if t % m == place]
        figure.append(sum(own) / len(own))
    average = sum(figure) / m
    return [one / average for one in figure]


def m4_naive2(x, horizon, m):
    """`Benchmarks` of M4's R code, the part that makes Naive2."""
    if m == 1 or not m4_seasonality_test(x, m):
        return [x[-1]] * horizon
    figure = r_decompose_figure(x, m)
    seasonal = [figure[t % m] for t in range(len(x))]
    coming = (seasonal[-m:] * (horizon // m + 1))[:horizon]
    return [x[-1] / seasonal[-1] * one for one in coming]


def positive_series(generator, length, season, strength):
    wave = 1 + strength * np.sin(2 * np.pi * np.arange(length) / season + generator.random() * 6)
    return (20 + np.abs(np.cumsum(generator.normal(size=length)))) * wave * np.exp(generator.normal(0, 0.05, length))


class TestNaive2:
    @pytest.mark.parametrize("season", [1, 4, 7, 12])
    def test_is_that_of_the_m4_competition(self, season):
        generator = np.random.default_rng(season)
        seasonal = 0
        for trial in range(40):
            length = int(generator.integers(2 * season + 2, 9 * season + 4))
            values = positive_series(generator, length, season, strength=0.3 * (trial % 3) / 2)
            expected = m4_naive2(values.tolist(), 2 * season + 1, season)
            assert centre(naive2, values, 2 * season + 1, season) == pytest.approx(expected, rel=1e-9)
            seasonal += len(set(expected)) > 1
        assert season == 1 or 5 < seasonal < 40

    def test_the_shape_of_a_pure_season_is_found(self):
        values = np.tile([50.0, 100.0, 150.0], 6)
        assert centre(naive2, values, 4, 3) == pytest.approx([50, 100, 150, 50])
        assert deviation(naive2, values, 4, 3) == pytest.approx([0] * 4, abs=1e-9)

    def test_deviations_are_those_of_the_adjusted_series_times_the_season(self):
        values = positive_series(np.random.default_rng(0), 60, 4, 0.3)
        figure = np.array(r_decompose_figure(values.tolist(), 4))
        adjusted = values / np.tile(figure, 15)
        sigma = np.sqrt(np.mean(np.diff(adjusted) ** 2))
        assert deviation(naive2, values, 3, 4) == pytest.approx(sigma * np.sqrt([1, 2, 3]) * figure[:3])

    @pytest.mark.parametrize(
        "values",
        [
            np.tile([1.0, 9.0, 5.0], 2),
            np.full(30, 0.1),
            np.tile([0.0, 9.0, 5.0], 9),
            np.tile([-4.0, 9.0, 5.0], 9),
        ],
        ids=["shorter than three seasons", "constant", "zero", "negative"],
    )
    def test_what_cannot_be_adjusted_is_forecast_by_the_last_value(self, values):
        assert centre(naive2, values, 4, 3) == centre(naive, values, 4)
        assert deviation(naive2, values, 4, 3) == deviation(naive, values, 4)

    @pytest.mark.parametrize("share", [0.02, 0.1, 0.2])
    def test_missing_values_hide_no_season(self, share):
        generator = np.random.default_rng(5)
        values = positive_series(generator, 24 * 30, 24, 0.4)
        gaps = np.where(generator.random(len(values)) < share, NAN, values)
        gaps[-1] = values[-1]
        complete, holed = centre(naive2, values, 24, 24), centre(naive2, gaps, 24, 24)
        assert holed == pytest.approx(complete, rel=0.06)
        assert np.ptp(holed) > 0.5 * np.mean(holed)

    def test_a_long_gap_makes_no_season_of_its_own(self):
        values = np.tile([50.0, 100.0, 150.0, 100.0], 30)
        values[33:70] = NAN
        assert seasonal_indices(values, 4) == pytest.approx([0.5, 1, 1.5, 1])
        assert centre(naive2, values, 4, 4) == pytest.approx([50, 100, 150, 100])


def test_autocorrelations_pass_over_missing_values_as_in_r():
    """acf(c(1, 3, NA, 4, 2, 5), na.action = na.pass): the sum over pairs / (pairs + lag), with the mean of all."""
    values = [1, 3, NAN, 4, 2, 5]
    centred = [v - 3 for v in values]
    variance = (4 + 0 + 1 + 1 + 4) / 5
    at_1 = (centred[0] * centred[1] + centred[3] * centred[4] + centred[4] * centred[5]) / (3 + 1)
    at_2 = (centred[1] * centred[3] + centred[3] * centred[5]) / (2 + 2)
    assert autocorrelations(history(*values), 2) == pytest.approx([at_1 / variance, at_2 / variance])


@pytest.mark.parametrize("steps", [3, 13, 64, 997])
def test_autocorrelations_at_every_lag_are_those_of_the_definition(steps):
    values = np.random.default_rng(steps).normal(size=steps)
    centred = values - values.mean()
    for lags in {1, steps // 2, steps - 1}:
        expected = [np.sum(centred[lag:] * centred[:-lag]) / np.sum(centred**2) for lag in range(1, lags + 1)]
        assert autocorrelations(values, lags) == pytest.approx(expected, abs=1e-12)


def test_the_transform_of_a_long_series_has_no_large_prime_factor(monkeypatch):
    """Of twice a prime number of values it would take ten times as long and more."""
    lengths, transform = [], autocorrelation.rfft
    monkeypatch.setattr(autocorrelation, "rfft", lambda x, length: lengths.append(length) or transform(x, length))
    is_seasonal(np.arange(1009.0), 12)
    assert len(lengths) == 2 and all(1009 + 12 <= length <= 1080 for length in lengths)
    assert all((2 * 3 * 5) ** 10 % length == 0 for length in lengths)


def test_white_noise_is_found_seasonal_in_a_tenth_of_cases():
    generator = np.random.default_rng(0)
    found = np.mean([is_seasonal(generator.normal(10, 1, 240), 12) for _ in range(1000)])
    assert 0.05 < found < 0.13


def random_walk(generator, steps):
    return np.cumsum(generator.normal(size=steps))


MODELS = {
    "naive": (naive, 1, random_walk),
    "seasonal_naive": (seasonal_naive, 4, lambda g, n: np.cumsum(g.normal(size=(n // 4, 4)), axis=0).reshape(-1)),
    "drift": (drift, 1, lambda g, n: np.cumsum(g.normal(0.5, 1, n))),
    "mean": (mean, 1, lambda g, n: g.normal(7, 2, n)),
    "naive2": (
        naive2,
        4,
        lambda g, n: (100 + np.cumsum(g.normal(size=n))) * np.tile([0.8, 1.1, 1.2, 0.9], n // 4),
    ),
}


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("name", MODELS)
def test_intervals_cover_their_share_where_the_rule_is_right(name, missing):
    """1,500 series of the rule's own model, 160 steps known and 8 to come."""
    rule, season, make = MODELS[name]
    generator = np.random.default_rng(1)
    inside = {80: [], 95: []}
    for _ in range(1500):
        values = make(generator, 168)
        known = np.where(generator.random(160) < missing, NAN, values[:160])
        known[0] = values[0]
        middle, sigma = rule(known, 8, season)
        for level, width in ((80, 1.2816), (95, 1.96)):
            inside[level].append(np.abs(values[160:] - middle) <= width * sigma)
    assert np.mean(inside[80]) == pytest.approx(0.80, abs=0.025)
    assert np.mean(inside[95]) == pytest.approx(0.95, abs=0.02)


def panel():
    y = [1, 3, 2, 4, 9, 9, 9.0]
    table = pd.DataFrame({"unique_id": ["a"] * 4 + ["b"] * 3, "ds": [1, 2, 3, 4, 1, 2, 3], "y": y})
    return panel_from_frame(table, Columns(id="unique_id"))


def test_the_forecaster_applies_the_rule_to_each_series_and_gives_normal_intervals():
    frame = NaiveForecaster(naive, 2).fit(panel()).predict(panel())
    assert list(frame.columns[3:]) == ["naive", "naive-lo-80", "naive-hi-80", "naive-lo-95", "naive-hi-95"]
    assert frame["naive"].tolist() == [4, 4, 9, 9]
    above = [1.2816 * math.sqrt(3), 1.2816 * math.sqrt(6), 0, 0]
    assert (frame["naive-hi-80"] - frame["naive"]).tolist() == pytest.approx(above, abs=1e-3)
    assert (frame["naive"] - frame["naive-lo-80"]).tolist() == pytest.approx(above, abs=1e-3)


def test_any_level_can_be_asked_for():
    frame = NaiveForecaster(drift, 2, levels=[80]).predict(panel(), levels=[99.9, 50])
    assert list(frame.columns[3:]) == ["drift", "drift-lo-50", "drift-hi-50", "drift-lo-99.9", "drift-hi-99.9"]
    with pytest.raises(LevelError, match=r"from 0.001 to 99.999"):
        NaiveForecaster(drift, 2).predict(panel(), levels=[100])


def test_a_name_of_its_own():
    frame = NaiveForecaster(seasonal_naive, 2, season=2, name="seasonal_naive_2").predict(panel(), levels=[])
    assert list(frame.columns) == ["unique_id", "ds", "cutoff", "seasonal_naive_2"]
    assert frame["seasonal_naive_2"].tolist() == [2, 4, 9, 9]


@pytest.mark.parametrize("options", [{"horizon": 0}, {"horizon": 2, "season": 0}])
def test_impossible_steps_are_refused(options):
    with pytest.raises(DefinitionError, match="at least 1"):
        NaiveForecaster(naive, **options)
