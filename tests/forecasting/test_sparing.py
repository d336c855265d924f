"""Stretches of a long past that a fit is not shown, by which intervals are calibrated."""

from dataclasses import replace

import numpy as np
import pytest

from forecaster.evaluation.backtest import roll
from forecaster.evaluation.metrics import coverage
from forecaster.forecasting.defaults import resolve
from forecaster.forecasting.lessons import window_lessons
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.sparing import EVERY, FEWEST, MOST, STRETCH, calibration_windows, learnt, spared_stretches
from forecaster.forecasting.warm import WarmStart
from forecaster.series import cutoffs, training_windows
from tests.synthetic import seasonal_panel, tiny

LOOKBACK, HORIZON = 8, 2
LENGTH = EVERY * HORIZON * (FEWEST + 6)


def resolved(panel, origins=20):
    return resolve(panel, HORIZON, LOOKBACK, 4, 2, origins, HORIZON)


def ticks_of(windows):
    """Of all targets of windows; shape (windows, horizon)."""
    series, rows = windows.locate(slice(None))
    begins = rows - windows.panel.offsets[series] + windows.panel.first[series]
    return begins[:, None] + np.arange(windows.horizon)


def inside(ticks, spared, horizon=HORIZON):
    """Which of the ticks lie in a spared stretch."""
    begins = np.array(spared)[:, None]
    stretches = (begins + np.arange(STRETCH * horizon)).ravel()
    return np.isin(ticks, stretches)


@pytest.fixture(scope="module")
def panel():
    return seasonal_panel(series=2, steps=LENGTH, season=4)


def one_past(first, last, horizon):
    return spared_stretches(np.array([first]), np.array([last]), horizon)


class TestStretches:
    @pytest.mark.parametrize(("steps", "horizon"), [(256, 1), (9_000, 24), (100_000, 24), (1_000_000, 1)])
    def test_they_lie_all_over_the_past_and_a_fifth_of_it_at_most_is_spared(self, steps, horizon):
        spared = np.array(one_past(500, 500 + steps - 1, horizon))
        assert (np.diff(spared) >= (STRETCH + 1) * horizon).all()
        assert spared[0] >= 500 and spared[-1] + STRETCH * horizon <= 500 + steps
        assert np.diff(spared).max() < 2 * steps / len(spared)
        assert len(spared) * (STRETCH + 1) * horizon < 0.2 * steps and len(spared) <= MOST

    def test_no_hour_and_no_weekday_is_preferred(self):
        spared = np.array(one_past(0, 100_000, horizon=24))
        for cycle, parts in ((24, 4), (168, 7)):
            counts = np.histogram(spared % cycle, bins=parts, range=(0, cycle))[0]
            assert counts.min() >= 0.6 * counts.mean()

    def test_too_few_are_none(self):
        counts = {len(one_past(0, last, horizon=2)) for last in range(2_000)}
        assert min(counts - {0}) == FEWEST and 0 in counts

    def test_where_most_series_are_short_there_are_none(self):
        assert spared_stretches(np.array([0, 900, 900]), np.array([999, 999, 999]), horizon=1) == ()
        assert spared_stretches(np.array([0, 0, 900]), np.array([999, 999, 999]), horizon=1)

    def test_where_no_series_is_there_are_none(self):
        """Clocks that lie far apart: series of 400 steps at 0, 100,000 and 5,000,000."""
        firsts = np.array([0, 100_000, 5_000_000])
        assert spared_stretches(firsts, firsts + 399, horizon=1) == ()


class TestBetween:
    """Windows by spans of time."""

    @pytest.mark.parametrize("seed", range(5))
    def test_equals_a_slow_loop(self, seed):
        generator = np.random.default_rng(seed)
        panel = seasonal_panel(series=3, steps=60)
        values = panel.values.copy()
        values[generator.random(len(values)) < 0.3] = np.nan
        windows = training_windows(replace(panel, values=values), 4, 1)
        edges = np.sort(generator.choice(np.arange(-5, 70), size=8, replace=False))
        begins, stops = edges[::2], edges[1::2]
        found, ticks = windows.between(begins, stops), ticks_of(windows)[:, 0]
        wanted = ((ticks[:, None] >= begins) & (ticks[:, None] < stops)).any(axis=1)
        assert np.array_equal(np.stack(found.locate(slice(None))), np.stack(windows.locate(slice(None)))[:, wanted])

    def test_single_windows_and_none(self):
        windows = training_windows(seasonal_panel(steps=20), 4, 1)
        single = replace(windows, series=np.zeros(2, int), starts=np.array([5, 9]), counts=None)
        assert ticks_of(single.between(np.array([6]), np.array([12]))).tolist() == [[9]]
        assert len(single.between(np.array([6]), np.array([9]))) == 0
        assert len(single.between(np.array([], int), np.array([], int))) == 0


class TestWindows:
    def test_what_is_learnt_touches_no_stretch_and_nothing_else_is_left_out(self, panel):
        windows, spared = training_windows(panel, LOOKBACK, HORIZON), resolved(panel).spared
        assert len(spared) >= FEWEST
        touching = inside(ticks_of(windows), spared).any(axis=1)
        assert np.array_equal(ticks_of(learnt(windows, spared)), ticks_of(windows)[~touching])
        assert touching.sum() == len(panel) * len(spared) * ((STRETCH + 1) * HORIZON - 1)

    def test_without_stretches_all_is_learnt(self, panel):
        windows = training_windows(panel, LOOKBACK, HORIZON)
        assert learnt(windows, ()) is windows

    def test_intervals_are_calibrated_by_the_stretches_and_the_validation_part(self, panel):
        border = cutoffs(panel, HORIZON, 20, HORIZON)[0]
        spared = resolved(panel).spared
        alone, first = calibration_windows(panel, border, LOOKBACK, HORIZON, (), 10_000)
        both, count = calibration_windows(panel, border, LOOKBACK, HORIZON, spared, 10_000)
        assert (len(alone.target), len(both.target)) == (first, count)
        assert np.array_equal(both.target[:first], alone.target)
        windows = training_windows(panel.until(border), LOOKBACK, HORIZON)
        whole = inside(ticks_of(windows), spared).all(axis=1)
        assert whole.sum() == len(panel) * len(spared) * ((STRETCH - 1) * HORIZON + 1)
        assert np.array_equal(both.target[first:], windows.gather(np.flatnonzero(whole)).target)

    def test_at_most_so_many_half_of_each(self, panel):
        border = cutoffs(panel, HORIZON, 20, HORIZON)[0]
        both, count = calibration_windows(panel, border, LOOKBACK, HORIZON, resolved(panel).spared, 14)
        assert len(both.target) == 14 and count > 14
        assert np.array_equal(both.target[:7], targets_behind(panel, border, 7))

    def test_a_gap_over_all_stretches_leaves_the_validation_part(self, panel):
        border, spared = cutoffs(panel, HORIZON, 20, HORIZON)[0], resolved(panel).spared
        values = panel.values.copy()
        rows = np.arange(len(values)) % LENGTH + panel.first[0]
        values[inside(rows, spared)] = np.nan
        holed = replace(panel, values=values)
        both, count = calibration_windows(holed, border, LOOKBACK, HORIZON, spared, 10_000)
        _, alone = calibration_windows(holed, border, LOOKBACK, HORIZON, (), 10_000)
        assert len(both.target) == count == alone


class TestDefaults:
    def test_a_long_past_has_them_and_a_run_says_so(self, panel):
        found = resolved(panel)
        assert found.reasons["intervals"] == (
            f"calibrated by {len(found.spared)} stretches of {STRETCH * HORIZON} steps all over the training part, "
            "besides the validation part"
        )

    def test_a_short_one_has_none(self):
        found = resolved(seasonal_panel(steps=EVERY * HORIZON * FEWEST - 1, season=4))
        assert found.spared == () and "intervals" not in found.reasons

    def test_law_1_none_lies_in_the_validation_part(self, panel):
        border = cutoffs(panel, HORIZON, 25, HORIZON)[0]
        spared = resolved(panel, origins=25).spared
        assert spared and spared[-1] + STRETCH * HORIZON - 1 <= border.max()

    def test_each_has_a_whole_lookback_before_it(self, panel):
        assert resolved(panel).spared[0] >= resolved(panel).memory

    @pytest.mark.parametrize(
        "changes", [{"finish": 0.0}, {"strategy": "recursive"}], ids=["without a finish", "step by step"]
    )
    def test_what_would_never_learn_from_them_has_none(self, panel, changes):
        made = RecurrentForecaster(tiny(steps=2, **changes), HORIZON, lookback=LOOKBACK, season=4, validation=20)
        assert made.fit(panel).resolved.spared == () and resolved(panel).spared

    def test_nor_has_what_goes_on_from_weights_that_may_know_them(self, panel):
        made = RecurrentForecaster(tiny(), HORIZON)
        assert made.spares
        made.warm = WarmStart("a version", made.name, {}, [])
        assert not made.spares


class TestFit:
    def test_no_lesson_teaches_what_is_spared_and_the_finish_does(self, panel):
        from forecaster.forecasting.finishing import all_windows

        found = resolved(panel)
        values, rows = panel.values.copy(), np.arange(len(panel.values)) % LENGTH + panel.first[0]
        marked = inside(rows, found.spared)
        values[marked, 0] = 1e6
        strange = replace(panel, values=values)
        border = cutoffs(panel, HORIZON, 20, HORIZON)[0]
        definition = tiny(mixing=0.0, masking=0.0, batch_size=64, finish=0.5)
        lessons = window_lessons(strange, border, found, HORIZON, definition, seed=1)
        assert max(np.nanmax(lessons.batch(step).target) for step in range(50)) < 1e3
        assert np.nanmax(lessons.sample.target) < 1e3 and np.nanmax(lessons.held_out.target) < 1e3
        assert np.nanmax(lessons.calibration.target) > 1e3
        later = all_windows(strange, found, HORIZON, definition, seed=1)
        assert max(np.nanmax(later(step).target) for step in range(50)) > 1e3

    def test_where_nothing_was_observed_but_there_all_is_learnt(self, panel):
        found, border = resolved(panel), cutoffs(panel, HORIZON, 20, HORIZON)[0]
        rows = np.arange(len(panel.values)) % LENGTH + panel.first[0]
        values = panel.values.copy()
        values[(rows <= border[0]) & ~inside(rows, found.spared)] = np.nan
        definition = tiny(mixing=0.0, masking=0.0)
        lessons = window_lessons(replace(panel, values=values), border, found, HORIZON, definition, seed=1)
        assert lessons.calibration is None and np.isfinite(lessons.batch(0).target).any(axis=1).all()

    @pytest.mark.parametrize("changes", [{}, {"conformal": True}, {"theta": 0.5}], ids=["plain", "conformal", "theta"])
    def test_a_calm_end_does_not_make_intervals_narrow(self, changes, monkeypatch):
        """Noise is small where the validation part lies, and great before it and behind it."""
        panel = loud_and_calm()
        test = cutoffs(panel, HORIZON, 100, HORIZON)
        held = {}
        for name in ("spared", "not spared"):
            if name == "not spared":
                monkeypatch.setattr("forecaster.forecasting.defaults.spared_stretches", lambda *told, **named: ())
            model = tiny(steps=120, evaluate_every=30, batch_size=32, **changes)
            made = RecurrentForecaster(model, HORIZON, lookback=LOOKBACK, season=4, validation=20, levels=[80])
            made.fit(panel.until(test[0]))
            held[name] = coverage(roll(made, panel, test, levels=[80.0]), made.name, 80)
        assert held["not spared"] < 0.6
        assert held["spared"] > held["not spared"] + 0.1


def targets_behind(panel, border, count):
    """Of so many windows of the validation part, evenly spread."""
    windows = training_windows(panel, LOOKBACK, HORIZON).after(border)
    return windows.gather(windows.spread(count)).target


def loud_and_calm():
    """A panel whose noise is small for 100 steps, and great before and behind them."""
    panel = seasonal_panel(steps=2 * LENGTH, season=4)
    steps = np.arange(len(panel.values))
    generator = np.random.default_rng(3)
    calm = (steps >= len(steps) - 300) & (steps < len(steps) - 200)
    values = panel.values.copy()
    values[:, 0] = 20 + np.sin(np.pi * steps / 2) + generator.normal(0, 1, len(steps)) * np.where(calm, 0.1, 1.0)
    return replace(panel, values=values)
