"""Forecasts that are no other values than the series can have."""

import keras
import numpy as np
import pytest
from keras import ops

from forecaster.networks.build import Shape, build
from forecaster.networks.ensemble import join
from forecaster.networks.support import ToSupport, within
from forecaster.series.rounding import supported
from tests.synthetic import tiny

LEVELS = (0.1, 0.5, 0.9)
PAST = np.random.default_rng(0).poisson(1.0, (4, 24, 1)).astype(np.float32)


@pytest.mark.parametrize(
    ("support", "expected"),
    [("real", [-1.6, -0.2, 0.4, 0.6]), ("nonnegative", [0, 0, 0.4, 0.6]), ("whole", [0, 0, 0, 1])],
)
def test_the_nearest_values_of_a_support(support, expected):
    values = np.array([-1.6, -0.2, 0.4, 0.6], np.float32)
    assert np.asarray(within(values, support)) == pytest.approx(expected)


def test_half_way_between_two_is_the_lower_one_whatever_rounding_noise_says():
    halves = np.array([0.5, 1.5, 2.5, 17.5], np.float32)
    for noise in (-1e-4, 0.0, 1e-4):
        assert np.asarray(within(halves + noise, "whole")).tolist() == [0, 1, 2, 17]
        assert supported(halves + noise, "whole").tolist() == [0, 1, 2, 17]


@pytest.mark.parametrize("support", ["real", "nonnegative", "whole"])
def test_there_is_the_same_without_a_backend(support):
    values = np.random.default_rng(0).normal(0, 30, 10_000).astype(np.float32)
    assert np.array_equal(supported(values, support), np.asarray(within(values, support)))


def test_no_zero_is_negative():
    assert not np.signbit(np.asarray(within(np.array([-0.3, -7.0], np.float32), "whole"))).any()


def test_gradients_go_straight_through_and_values_stay_exact():
    import tensorflow as tf

    values = tf.constant(np.random.default_rng(0).normal(0, 30, 100_000).astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(values)
        said = within(values, "whole")
        total = tf.reduce_sum(said)
    assert np.array_equal(said, np.maximum(np.round(values - 0.01), 0))
    assert np.array_equal(tape.gradient(total, values), np.ones(100_000))


@pytest.mark.parametrize("mean", [0.3, 2.0, 30.0])
def test_rounding_gives_the_quantiles_of_counts(mean):
    """Counts blurred by half a number to both sides, as a network sees them: its rounded quantiles are theirs."""
    counts = np.random.default_rng(0).poisson(mean, 200_000)
    smooth = counts + np.random.default_rng(1).uniform(-0.5, 0.5, len(counts))
    levels = (0.025, 0.1, 0.5, 0.9, 0.975)
    rounded = np.asarray(within(np.quantile(smooth, levels).astype(np.float32), "whole"))
    assert rounded.tolist() == np.quantile(counts, levels, method="inverted_cdf").tolist()


def test_the_layer_is_rebuilt_from_its_configuration():
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(ToSupport("whole")))
    assert again.support == "whole"


@pytest.mark.parametrize("together", [False, True], ids=["alone", "ensemble"])
def test_a_network_forecasts_such_values_and_learns_from_any(together):
    def built(support):
        networks = [build(tiny(), Shape(24, 6, LEVELS, support=support), seed=seed) for seed in (1, 2)]
        return join(networks) if together else networks[0]

    plain, whole = built("real"), built("whole")
    said, counted = (ops.convert_to_numpy(one.forecast({"past": PAST})["quantiles"]) for one in (plain, whole))
    assert (said < 0).any() and np.array_equal(counted, np.maximum(np.round(said - 0.01), 0))
    scaled = [ops.convert_to_numpy(one.scaled({"past": PAST})["quantiles"]) for one in (plain, whole)]
    assert np.array_equal(*scaled)
