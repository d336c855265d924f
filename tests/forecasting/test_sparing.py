"""Stretches of a long past that a fit is not shown, by which intervals are calibrated."""

from dataclasses import replace

import numpy as np
import pytest

from forecaster.evaluation.backtest import roll
from forecaster.evaluation.metrics import coverage
from forecaster.forecasting.defaults import resolve
from forecaster.forecasting.lessons import window_lessons
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.sparing import EVERY, FEWEST, STRETCH, calibration_windows, learnt, spared_stretches
from forecaster.series import cutoffs, training_windows
from tests.synthetic import seasonal_panel, tiny

LOOKBACK, HORIZON = 8, 2
LENGTH = EVERY * HORIZON * (FEWEST + 2)


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


class TestStretches:
    def test_they_do_not_overlap_and_lie_within_the_past(self):
        spared = np.array(spared_stretches(1_000, 90_000, horizon=24))
        assert (np.diff(spared) >= (STRETCH + 1) * 24).all()
        assert spared[0] >= 1_000 and spared[-1] + STRETCH * 24 - 1 <= 90_000

    def test_they_stay_as_data_come_in_and_as_older_data_go(self):
        before = spared_stretches(0, 20_000, horizon=24)
        later = spared_stretches(5_000, 30_000, horizon=24)
        assert [one for one in before if one >= 5_000] == [one for one in later if one + STRETCH * 24 - 1 <= 20_000]
        assert len(later) > 8

    def test_no_hour_and_no_weekday_is_preferred(self):
        spared = np.array(spared_stretches(0, 1_000_000, horizon=24))
        for cycle, parts in ((24, 6), (168, 7)):
            counts = np.histogram(spared % cycle, bins=parts, range=(0, cycle))[0]
            assert counts.min() > 0.9 * counts.mean()

    def test_fewer_than_eight_are_none(self):
        lasts = [last for last in range(400) if len(spared_stretches(0, last, horizon=1)) < FEWEST]
        assert lasts and all(spared_stretches(0, last, horizon=1) == () for last in lasts)


class TestWindows:
    def test_what_is_learnt_touches_no_stretch_and_nothing_else_is_left_out(self, panel):
        windows, spared = training_windows(panel, LOOKBACK, HORIZON), resolved(panel).spared
        assert len(spared) >= FEWEST
        touching = inside(ticks_of(windows), spared).any(axis=1)
        assert np.array_equal(ticks_of(learnt(windows, spared)), ticks_of(windows)[~touching])
        assert touching.mean() == pytest.approx((STRETCH + 1) / EVERY, abs=0.04)

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
        assert np.array_equal(both.target[first:], windows.gather(np.flatnonzero(whole)).target)

    def test_of_each_at_most_so_many(self, panel):
        border = cutoffs(panel, HORIZON, 20, HORIZON)[0]
        both, count = calibration_windows(panel, border, LOOKBACK, HORIZON, resolved(panel).spared, 7)
        assert len(both.target) == 14 and count > 14

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
        border = cutoffs(panel, HORIZON, 40, HORIZON)[0]
        spared = resolved(panel, origins=40).spared
        assert spared and spared[-1] + STRETCH * HORIZON - 1 <= border.max()


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

    @pytest.mark.parametrize("changes", [{}, {"conformal": True}, {"theta": 0.5}], ids=["plain", "conformal", "theta"])
    def test_a_calm_end_does_not_make_intervals_narrow(self, changes, monkeypatch):
        """Noise is great in every second year, and small in the one that ends with the validation part."""
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


def loud_and_calm():
    """A panel whose noise is small for 100 steps, and great before and behind them."""
    panel = seasonal_panel(steps=2 * LENGTH, season=4)
    steps = np.arange(len(panel.values))
    generator = np.random.default_rng(3)
    calm = (steps >= len(steps) - 300) & (steps < len(steps) - 200)
    values = panel.values.copy()
    values[:, 0] = 20 + np.sin(np.pi * steps / 2) + generator.normal(0, 1, len(steps)) * np.where(calm, 0.1, 1.0)
    return replace(panel, values=values)
