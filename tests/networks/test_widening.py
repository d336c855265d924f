"""Intervals that are wider where little was held out to calibrate them by."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

from forecaster.networks.build import Shape, build
from forecaster.networks.caution import caution
from forecaster.networks.ensemble import join
from forecaster.networks.widening import Widening
from tests.synthetic import tiny

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)


class TestCaution:
    @pytest.mark.parametrize("looks", [2, 3, 28])
    def test_it_is_the_ratio_of_the_quantiles_of_t_and_normal(self, looks):
        ratio = [1 if level == 0.5 else stats.t.ppf(level, looks) / stats.norm.ppf(level) for level in LEVELS]
        assert caution(LEVELS, looks) == pytest.approx(ratio)

    def test_a_single_look_counts_as_two_and_many_need_no_caution(self):
        assert caution(LEVELS, 1) == caution(LEVELS, 2)
        assert caution(LEVELS, 100_000) == pytest.approx([1] * 5, abs=1e-4)

    def test_outer_intervals_grow_more_so_that_quantiles_do_not_cross(self):
        factors = caution((0.005, 0.025, 0.1, 0.4, 0.5), 4)
        assert list(factors) == sorted(factors, reverse=True)

    @pytest.mark.parametrize("looks", [2, 5, 20])
    def test_intervals_whose_scale_is_learnt_from_few_errors_hold_what_they_say(self, looks):
        errors = np.random.default_rng(0).normal(0, 3, (40_000, looks + 1))
        scale = np.sqrt((errors[:, :looks] ** 2).mean(axis=1))
        for level, factor in zip(LEVELS[3:], caution(LEVELS, looks)[3:], strict=True):
            wide = np.abs(errors[:, looks]) <= factor * stats.norm.ppf(level) * scale
            assert wide.mean() == pytest.approx(2 * level - 1, abs=0.01)


class TestWidening:
    def test_distances_from_the_median_grow_by_their_factors(self):
        said = Widening([2.0, 1.5, 1.0, 1.5, 2.0])(np.array([[[1, 2, 4, 6, 7]]], np.float32))
        assert ops.convert_to_numpy(said).tolist() == [[[-2, 1, 4, 7, 10]]]

    def test_it_is_rebuilt_from_its_configuration(self):
        layer = Widening(caution(LEVELS, 3))
        again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
        assert again.factors == pytest.approx(layer.factors)


class TestNetworks:
    PAST = np.random.default_rng(0).normal(10, 2, (3, 24, 1)).astype(np.float32)

    def built(self, looks, **changes):
        return build(tiny(**changes), Shape(24, 6, LEVELS, looks=looks), seed=1)

    def distances(self, model):
        said = np.asarray(model({"past": self.PAST})["quantiles"])
        return said - said[:, :, 2:3]

    @pytest.mark.parametrize("head", ["quantiles", "student_t"])
    def test_what_is_forecast_is_wider_what_is_calibrated_is_not(self, head):
        plain, cautious = (self.built(looks, head=head) for looks in (0, 5))
        factors = np.array(caution(LEVELS, 5))
        assert self.distances(cautious.forecast) == pytest.approx(factors * self.distances(plain.forecast), rel=1e-4)
        assert self.distances(cautious.scaled) == pytest.approx(self.distances(plain.scaled))

    def test_an_ensemble_is_widened_once(self):
        plain, cautious = (join([self.built(looks) for _ in range(3)]) for looks in (0, 5))
        factors = np.array(caution(LEVELS, 5))
        assert self.distances(cautious.forecast) == pytest.approx(factors * self.distances(plain.forecast), rel=1e-4)

    def test_it_has_no_weights_so_that_a_warm_start_with_more_looks_takes_them(self):
        shapes = [[weight.shape for weight in self.built(looks).forecast.weights] for looks in (0, 5)]
        assert shapes[0] == shapes[1]
