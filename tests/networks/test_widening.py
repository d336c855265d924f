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
from forecaster.networks.caution import caution, cautious, drawn, least, usual_distances
from forecaster.networks.ensemble import join
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


class TestDrawn:
    def test_few_looks_are_drawn_far_and_many_hardly(self):
        few, many = (drawn(np.array([1.0, 9.0]), 3.0, looks) for looks in (1, 10_000))
        assert few == pytest.approx([1 / (0.2 + 0.8 / 3), 1 / (0.2 / 9 + 0.8 / 3)])
        assert many == pytest.approx([1, 9], rel=0.01)

    def test_a_distance_that_is_far_too_large_has_little_say(self):
        assert drawn(1e9, 1.0, looks=1) == pytest.approx(1.25)

    def test_no_distance_stays_none(self):
        assert drawn(0.0, 1.0, looks=1) == 0

    def test_what_is_usual_is_how_large_errors_are_step_by_step(self):
        errors = np.random.default_rng(0).normal(0, [1.0, 2.0], (50_000, 2))
        assert usual_distances(errors, LEVELS) == pytest.approx(
            np.abs([[stats.norm.ppf(level) * spread for level in LEVELS] for spread in (1, 2)]), rel=0.03
        )

    def test_of_several_naive_forecasts_the_one_that_repeats_best_tells_what_is_usual(self):
        none, large, small = np.full((3, 2), np.nan), np.full((3, 2), -9.0), np.array([[np.nan, 2.0]] * 3)
        assert least([none, large, small]) is small

    def test_nothing_is_usual_where_nothing_is_known_or_errors_are_nothing_again_and_again(self):
        errors = np.array([[np.nan, 0.0, 1.0]] * 20 + [[np.nan, 5.0, np.nan]])
        assert usual_distances(errors, LEVELS).tolist() == [[0] * 5, [0] * 5, [1, 1, 0, 1, 1]]

    def test_arrays_are_done_as_the_layer_does(self):
        usual = np.array([[3.0, 2, 0, 2, 3], [0, 0, 0, 0, 0]])
        apart = np.array([[4.0, 1, 0, 2, 5], [4, 1, 0, 2, 5]])
        signs = np.array([-1.0, -1, 0, 1, 1])
        said = Widening(caution(LEVELS, 3), usual.tolist(), 3)((7 + signs * apart)[None].astype(np.float32))
        assert ops.convert_to_numpy(said)[0] == pytest.approx(7 + signs * cautious(apart, usual, LEVELS, 3), rel=1e-5)
        assert cautious(apart, usual, LEVELS, 0) is apart

    @settings(max_examples=100, deadline=None)
    @given(
        arrays(float, (2, 4), elements=st.floats(0, 1e6)),
        arrays(float, 4, elements=st.floats(0, 1e6)),
        st.integers(1, 99),
    )
    def test_quantiles_do_not_cross(self, both, size, looks):
        levels = (0.005, 0.025, 0.1, 0.5, 0.9, 0.975, 0.995)
        rising = np.cumsum(both, axis=1)[:, [2, 1, 0, 0, 0, 1, 2]] * (np.array(levels) != 0.5)
        usual = usual_distances(np.outer(size, [1.0]), levels)
        done = cautious(rising[:1], usual, levels, looks)
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


def test_what_is_usual_is_measured_in_frames_by_the_season_that_repeats_best():
    """A day of four steps that changes from day to day, and a week of 28 that comes again but for noise."""
    generator = np.random.default_rng(0)
    series = np.tile(generator.normal(0, 10, 28), 8) + generator.normal(0, 0.1, 224)
    places = np.arange(224 - 60)[:, None] + np.arange(60)
    past, target = series[places][:, :56, None], series[places][:, 56:]
    shape = Shape(56, 4, LEVELS, seasons=(4, 28), looks=3)
    usual = np.array(usual_in_frames({"past": past.astype(np.float32)}, target, shape))
    errors = (target - past[:, 28:32, 0]) / past.std(axis=1)
    expected = np.quantile(np.abs(errors), np.abs(2 * np.array(LEVELS) - 1), axis=0).T
    assert usual == pytest.approx(expected * (np.array(LEVELS) != 0.5), rel=1e-4)
