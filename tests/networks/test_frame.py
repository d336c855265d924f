"""Scaling and transforms, worked out by hand."""

import keras
import numpy as np
import pytest
from keras import ops

from forecaster.networks.frame import TRANSFORMS, FromFrame, ScaleTogether, ToFrame, encode_target

NAN = float("nan")


def row(*values):
    return np.array([values], np.float32)


def test_none_takes_mean_and_standard_deviation_of_what_is_observed():
    scaled, observed, frame = ToFrame("none")(row(1, NAN, 3, 5))
    spread = np.sqrt(8 / 3)
    assert np.allclose(frame, [[3, spread]])
    assert np.allclose(scaled, [[-2 / spread, 0, 0, 2 / spread]])
    assert np.array_equal(observed, [[1, 0, 1, 1]])


def test_log_works_on_logarithms_and_masks_what_has_none():
    _, observed, frame = ToFrame("log")(row(1, np.e**2, 0, -5))
    assert np.allclose(frame, [[1, 1]], atol=1e-6)
    assert np.array_equal(observed, [[1, 1, 0, 0]])


@pytest.mark.parametrize(
    ("transform", "values", "spread"),
    [
        ("none", (NAN, NAN, NAN, 50), 5),  # one value: a tenth of the level
        ("none", (NAN, NAN, 50, 50), 10 / 3),  # two: two thirds of that
        ("none", (NAN, 50, 50, 50), 5 / 3),
        ("none", (50, 50, 50, 50), 50 * 1e-5),  # four are believed
        ("none", (NAN, NAN, 40, 60), 10),  # they say more by themselves
        ("log", (NAN, NAN, NAN, 50), 0.1),
        ("log", (NAN, NAN, 50, 50), 0.2 / 3),
        ("difference", (NAN, NAN, NAN, 50), 5),
        ("difference", (NAN, NAN, 50, 50), 10 / 3),
        ("difference", (50, 50, 50, 50), 50 * 1e-5),
        ("difference", (NAN, NAN, 40, 60), 20),
        ("log_return", (NAN, NAN, NAN, 50), 0.1),
    ],
)
def test_the_spread_of_one_to_three_values_is_not_believed(transform, values, spread):
    _, _, frame = ToFrame(transform)(row(*values))
    assert float(frame[0, 1]) == pytest.approx(spread, rel=1e-4)


@pytest.mark.parametrize("transform", ["log", "log_return"])
def test_a_quantile_beyond_all_numbers_is_still_a_number(transform):
    said = FromFrame(transform)(np.full((1, 2, 1), 50, np.float32), np.array([[3.0, 9.0]], np.float32))
    assert np.isfinite(said).all()


def test_log_return_measures_from_the_last_observed_price_in_root_mean_square_returns():
    scaled, observed, frame = ToFrame("log_return")(row(1, np.e**1, np.e**3, NAN))
    spread = np.sqrt((1 + 4) / 2)
    assert np.allclose(frame, [[3, spread]], atol=1e-6)
    assert np.allclose(scaled, [[0, 1 / spread, 2 / spread, 0]], atol=1e-6)
    assert np.array_equal(observed, [[0, 1, 1, 0]])


def test_step_k_of_log_return_is_the_return_over_k_steps():
    """log(p[t+k] / p[t]) in units that grow with sqrt(k); zero is no change at all."""
    frame = np.array([[np.log(100), 0.02]], np.float32)
    target = 100 * np.exp(row(0.02, 0.02 * np.sqrt(2), 0))
    assert np.allclose(encode_target(target, frame, "log_return"), [[1, 1, 0]], atol=1e-3)
    assert np.allclose(FromFrame("log_return")(np.zeros((1, 3, 5), np.float32), frame), 100)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_there_and_back_again(transform):
    generator = np.random.default_rng(2)
    past = np.exp(generator.normal(3, 0.2, (5, 20))).astype(np.float32)
    target = np.exp(generator.normal(3, 0.2, (5, 4))).astype(np.float32)
    _, _, frame = ToFrame(transform)(past)
    scaled = encode_target(target, frame, transform)
    assert np.allclose(FromFrame(transform)(scaled[:, :, None], frame)[:, :, 0], target, rtol=1e-4)


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("values", [(7, 7, 7, 7), (0, 0, 0, 0), (NAN, NAN, NAN, NAN), (1e30, 1e30, 1e30, 1e30)])
def test_windows_without_spread_stay_finite(transform, values):
    for part in ToFrame(transform)(row(*values)):
        assert np.isfinite(part).all()


def test_known_covariates_are_scaled_over_lookback_and_horizon_at_once():
    values = np.array([[[0.0], [NAN], [4.0]]], np.float32)
    assert np.allclose(ScaleTogether()(values), [[[-1, 1], [0, 0], [1, 1]]])


@pytest.mark.parametrize("layer", [ToFrame("log"), FromFrame("difference"), ScaleTogether()])
def test_layers_are_rebuilt_from_their_config(layer):
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert keras.saving.get_registered_name(type(layer)).startswith("forecaster>")


def test_the_gradient_is_finite_where_values_are_missing():
    """A NaN in the branch that was not taken must not poison the gradient."""
    layer = keras.layers.Dense(1)
    past = keras.Input((4,))
    scaled, observed, frame = ToFrame("log_return")(past)
    model = keras.Model(past, layer(ops.concatenate([scaled, observed, frame], axis=1)))
    model.compile("sgd", "mse")
    model.train_on_batch(row(NAN, 2, -1, 3), np.ones((1, 1)))
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
