"""Intervals that are more like the naive forecast's, and wider, where little was held out to calibrate them by."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from keras import ops
from scipy import stats

from forecaster.networks.build import Shape, build
from forecaster.networks.caution import caution, cautious, naive_errors, usual_distances
from forecaster.networks.ensemble import join
from forecaster.networks.frame import TRANSFORMS, differenced, logarithmic
from forecaster.networks.widening import Widening, usual_in_frames
from tests.synthetic import tiny

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)


class TestCaution:
    @pytest.mark.parametrize("looks", [1, 3, 28])
    def test_it_is_the_ratio_of_the_quantiles_of_t_and_normal_with_four_looks_more(self, looks):
        ratio = [1 if level == 0.5 else stats.t.ppf(level, looks + 4) / stats.norm.ppf(level) for level in LEVELS]
        assert caution(LEVELS, looks) == pytest.approx(ratio)

    def test_many_looks_need_none(self):
        assert caution(LEVELS, 100_000) == pytest.approx([1] * 5, abs=1e-4)

    def test_outer_intervals_grow_more_so_that_quantiles_do_not_cross(self):
        factors = caution((0.005, 0.025, 0.1, 0.4, 0.5), 4)
        assert list(factors) == sorted(factors, reverse=True)

    @pytest.mark.parametrize("looks", [1, 5, 20])
    def test_intervals_whose_scale_is_learnt_from_few_errors_hold_what_they_say(self, looks):
        errors = np.random.default_rng(0).normal(0, 3, (40_000, looks + 5))
        scale = np.sqrt((errors[:, 1:] ** 2).mean(axis=1))
        for level, factor in zip(LEVELS[3:], caution(LEVELS, looks)[3:], strict=True):
            wide = np.abs(errors[:, 0]) <= factor * stats.norm.ppf(level) * scale
            assert wide.mean() == pytest.approx(2 * level - 1, abs=0.01)


class TestUsual:
    GENERATOR = np.random.default_rng(0)

    def windows(self, series, lookback=8, horizon=2):
        places = np.arange(len(series) - lookback - horizon + 1)[:, None] + np.arange(lookback + horizon)
        rows = np.asarray(series, float)[places]
        return rows[:, :lookback], rows[:, lookback:]

    def test_it_is_how_large_naive_errors_are_step_by_step(self):
        walk = np.cumsum(self.GENERATOR.normal(0, 0.1, (40_000, 10)), axis=1)
        found = usual_distances(walk[:, :8], walk[:, 8:], (), LEVELS)
        normal = [np.abs(stats.norm.ppf(LEVELS)) * spread * 0.1 for spread in (1, np.sqrt(2))]
        assert found == pytest.approx(np.array(normal), rel=0.03, abs=1e-9)

    def test_the_naive_forecast_that_repeats_best_tells_it(self):
        """A day of four steps that changes from day to day, and a week of 28 that comes again but for noise."""
        series = np.tile(self.GENERATOR.normal(0, 10, 28), 8) + self.GENERATOR.normal(0, 0.1, 224)
        past, target = self.windows(series, 56, 4)
        errors = naive_errors(past, target, (4, 28, 99))
        assert errors == pytest.approx(target - past[:, 28:32])
        assert naive_errors(past, target, (99,)) == pytest.approx(target - past[:, -1:])

    def test_the_last_value_is_the_last_that_was_seen(self):
        assert naive_errors(np.array([[1.0, 5.0, np.nan]]), np.array([[7.0]]), ()).tolist() == [[2]]

    def test_windows_without_a_spread_say_nothing(self):
        past, target = self.windows(np.append(np.zeros(300), self.GENERATOR.normal(100, 9, 60)))
        unseen = np.full_like(past[:50], np.nan), np.full_like(target[:50], 1e6)
        every = [np.concatenate(both) for both in zip((past, target), unseen, strict=True)]
        live = past.std(axis=1) > 0
        assert live.sum() < 70
        expected = usual_distances(past[live], target[live], (), LEVELS)
        assert usual_distances(*every, (), LEVELS) == pytest.approx(expected)

    def test_targets_far_outside_of_what_was_seen_count_less(self):
        past, target = self.windows(self.GENERATOR.normal(0, 1, 500))
        before = usual_distances(past, target, (), LEVELS)
        target[::10] = 1_000
        assert usual_distances(past, target, (), LEVELS) == pytest.approx(before, rel=0.3)

    @pytest.mark.parametrize("past", [np.full((9, 8), np.nan), np.ones((9, 8)), np.zeros((0, 8))])
    def test_nothing_is_usual_where_nothing_is_known(self, past):
        assert not usual_distances(past, np.ones((len(past), 2)), (4,), LEVELS).any()

    def test_steps_without_targets_are_not_known(self):
        past, target = self.windows(self.GENERATOR.normal(0, 1, 100))
        target[:, 1] = np.nan
        found = usual_distances(past, target, (), LEVELS)
        assert not found[1].any() and (found[0] > 0).tolist() == [True, True, False, True, True]

    @pytest.mark.parametrize("transform", TRANSFORMS)
    def test_networks_measure_it_in_units_of_their_frames(self, transform):
        """Of a random walk or its exponential: spreads of the lookback, or of a change, times the root of the step."""
        walk = np.cumsum(self.GENERATOR.normal(0, 0.1, (2_000, 44)), axis=1) + 50
        raw = np.exp(walk) if logarithmic(transform) else walk
        shape = Shape(40, 4, LEVELS, seasons=(1,), transform=transform, looks=3)
        usual = np.array(usual_in_frames(raw[:, :40], raw[:, 40:], shape))
        unit = 0.1 * np.sqrt([1, 2, 3, 4]) if differenced(transform) else walk[:, :40].std(axis=1, keepdims=True)
        errors = np.abs(walk[:, 40:] - walk[:, 39:40]) / unit
        expected = np.quantile(errors, np.abs(2 * np.array(LEVELS) - 1), axis=0).T * (np.array(LEVELS) != 0.5)
        assert usual == pytest.approx(expected, rel=0.15)


class TestCautious:
    def test_few_looks_are_drawn_far_and_many_hardly(self):
        usual = np.array([[3.0, 3.0]])
        few, many = (cautious(np.array([[1.0, 9.0]]), usual, (0.9, 0.9), looks) for looks in (1, 100_000))
        factor = caution((0.9,), 1)[0]
        assert few == pytest.approx(np.array([[1 / (0.2 + 0.8 / 3), 1 / (0.2 / 9 + 0.8 / 3)]]) * factor)
        assert many == pytest.approx(np.array([[1, 9]]), rel=0.01)

    def test_what_is_usual_is_taken_to_be_an_eighth_at_least_and_eight_times_as_much_at_most(self):
        apart, usual = np.array([[1e9, 1.0, 1.0, 0.0]]), np.array([[1.0, 0.0, 1e9, 1.0]])
        drawn = cautious(apart, usual, (0.9,) * 4, looks=1) / caution((0.9,), 1)[0]
        assert drawn == pytest.approx(np.array([[1e9 / 6.6, 1 / 6.6, 1 / 0.3, 0]]))

    def test_arrays_are_done_as_the_layer_does(self):
        usual = np.array([[3.0, 2, 0, 2, 3], [0, 0, 0, 0, 0], [90, 0.01, 0, 0.01, 90]])
        apart = np.array([[4.0, 1, 0, 2, 5], [4, 1, 0, 2, 5], [4, 1, 0, 0, 5]])
        signs = np.array([-1.0, -1, 0, 1, 1])
        said = Widening(caution(LEVELS, 3), usual.tolist(), 3)((7 + signs * apart)[None].astype(np.float32))
        assert ops.convert_to_numpy(said)[0] == pytest.approx(7 + signs * cautious(apart, usual, LEVELS, 3), rel=1e-5)

    @settings(max_examples=200, deadline=None)
    @given(arrays(float, (2, 3), elements=st.floats(0, 1e6)), st.integers(1, 99))
    def test_quantiles_do_not_cross(self, both, looks):
        levels = (0.005, 0.025, 0.1, 0.5, 0.9, 0.975, 0.995)
        rising = np.cumsum(both, axis=1)[:, [2, 1, 0, 0, 0, 1, 2]] * (np.array(levels) != 0.5)
        done = cautious(rising[:1], rising[1:], levels, looks)
        assert (np.diff(np.sign(np.array(levels) - 0.5) * done, axis=1) >= -1e-9 * np.abs(done).max()).all()


class TestWidening:
    def test_distances_from_the_median_grow_by_their_factors(self):
        said = Widening([2.0, 1.5, 1.0, 1.5, 2.0])(np.array([[[1, 2, 4, 6, 7]]], np.float32))
        assert ops.convert_to_numpy(said).tolist() == [[[-2, 1, 4, 7, 10]]]

    @pytest.mark.parametrize("usual", [(), [[3.0, 2, 0, 2, 3]] * 2], ids=["as once published", "as now"])
    def test_it_is_rebuilt_from_its_configuration(self, usual):
        layer = Widening(caution(LEVELS, 3), usual, 3)
        told = keras.saving.serialize_keras_object(layer)
        if not usual:
            del told["config"]["usual"], told["config"]["looks"]
        again = keras.saving.deserialize_keras_object(told)
        past = np.array([[[1, 2, 4, 6, 7]]], np.float32)
        assert ops.convert_to_numpy(again(past)).tolist() == ops.convert_to_numpy(layer(past)).tolist()


class TestNetworks:
    PAST = np.random.default_rng(0).normal(10, 2, (3, 24, 1)).astype(np.float32)

    USUAL = ((2.0, 1.0, 0.0, 1.0, 2.0),) * 6

    def built(self, looks, **changes):
        return build(tiny(**changes), Shape(24, 6, LEVELS, looks=looks, usual=self.USUAL if looks else ()), seed=1)

    def expected(self, plain, looks):
        """Distances in raw units, of a frame whose spread says how large the usual ones are."""
        spread = self.PAST.std(axis=1)[:, None]
        signs = np.array([-1.0, -1, 0, 1, 1])
        return signs * cautious(np.abs(plain), spread * np.array(self.USUAL), LEVELS, looks)

    def distances(self, model):
        said = np.asarray(model({"past": self.PAST})["quantiles"])
        return said - said[:, :, 2:3]

    @pytest.mark.parametrize("head", ["quantiles", "student_t"])
    def test_what_is_forecast_is_wider_what_is_calibrated_is_not(self, head):
        plain, careful = (self.built(looks, head=head) for looks in (0, 5))
        expected = self.expected(self.distances(plain.forecast), 5)
        assert self.distances(careful.forecast) == pytest.approx(expected, rel=1e-4)
        assert self.distances(careful.scaled) == pytest.approx(self.distances(plain.scaled))

    def test_an_ensemble_is_widened_once(self):
        plain, careful = (join([self.built(looks) for _ in range(3)]) for looks in (0, 5))
        expected = self.expected(self.distances(plain.forecast), 5)
        assert self.distances(careful.forecast) == pytest.approx(expected, rel=1e-4)

    def test_it_has_no_weights_so_that_a_warm_start_with_more_looks_takes_them(self):
        shapes = [[weight.shape for weight in self.built(looks).forecast.weights] for looks in (0, 5)]
        assert shapes[0] == shapes[1]
