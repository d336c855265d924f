"""The negative binomial head against SciPy: its quantiles, its likelihood, and what it makes of counts."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import ops
from scipy import stats
from scipy.special import digamma

from forecaster import RecurrentForecaster, panel_from_frame
from forecaster.errors import DataError
from forecaster.networks.build import Shape, build
from forecaster.networks.negative_binomial import NegativeBinomial, _surprise
from forecaster.series import Columns
from tests.synthetic import tiny

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)
FRAME = np.array([[1.5, 2.0]], np.float32)
"""Level and spread."""


def head():
    layer = NegativeBinomial(LEVELS)
    layer.build()
    return layer


def free(mean, dispersion):
    """Free numbers that mean these parameters where the base is the level."""
    inner = np.log(np.expm1(np.minimum(4 * mean / 2.0, 30.0))) / 4 if mean < 15 else mean / 2.0
    return np.array([[[np.log(dispersion), inner - 1.5 / 2.0]]], np.float32)


def of_scipy(mean, dispersion):
    size = 1 / dispersion
    return stats.nbinom(size, size / (size + mean))


@pytest.mark.parametrize(("mean", "dispersion"), [(0.05, 1.0), (0.7, 3.0), (4.0, 0.2), (37.0, 1e-4), (25_000.0, 0.5)])
def test_quantiles_and_likelihood_are_scipys(mean, dispersion):
    numbers, base, expected = free(mean, dispersion), np.zeros((1, 1), np.float32), of_scipy(mean, dispersion)
    said = 1.5 + 2.0 * ops.convert_to_numpy(head()(numbers, base, FRAME))[0, 0]
    assert said == pytest.approx(expected.ppf(LEVELS), rel=2e-3, abs=1e-3)
    values = np.floor([mean / 3, mean, 3 * mean + 1])

    def loss(value):
        scaled = ops.convert_to_tensor([[(value - 1.5) / 2.0]], "float32")
        far = max(abs(float(scaled[0, 0])) / 3.0, 1.0)
        return far * float(head().loss(scaled, numbers, base, FRAME))

    constants = [
        loss(value) + expected.logpmf(value) - stats.poisson(max(value, 1e-9)).logpmf(value) for value in values
    ]
    assert constants == pytest.approx([0, 0, 0], abs=5e-3 if mean < 1e3 else 0.2)


@pytest.mark.parametrize(("count", "mean", "dispersion"), [(0, 5e6, 20), (3, 1e7, 1e3), (10, 1e3, 1e-4), (0, 7, 1e-4)])
def test_few_among_many_are_as_surprising_as_scipy_says(count, mean, dispersion):
    """A size that 32 bits lose beside the mean, and one beside which they lose the mean."""
    size = 1 / dispersion
    told = [float(_surprise(*(np.float32(one) for one in (value, mean, size)))) for value in (count, mean)]
    expected = [
        stats.poisson(max(value, 1e-9)).logpmf(value) - of_scipy(mean, dispersion).logpmf(value)
        for value in (count, mean)
    ]
    assert np.isfinite(told).all()
    assert told[0] - told[1] == pytest.approx(expected[0] - expected[1], abs=2e-2)


@pytest.mark.parametrize("dispersion", [1e-4, 1e-2, 3.0])
@pytest.mark.parametrize("mean", [1e-3, 1.0, 1e3, 1e6, 1e9])
def test_surprise_and_its_gradients_are_precise_for_counts_of_any_size(mean, dispersion):
    """Against 64 bits; numbers as large as the count, of which two were subtracted, left noise of 32 bits."""
    away = np.array([-1.0, 0.0, 0.3, 3.0]) * np.sqrt(mean + dispersion * mean**2)
    count = np.maximum(np.round(mean + away), 0.0).astype(np.float32)
    middle, spread = (tf.Variable(np.full(4, one, np.float32)) for one in (mean, np.log(dispersion)))
    with tf.GradientTape() as tape:
        told = _surprise(tf.constant(count), middle, tf.exp(-spread))
    of_mean, of_dispersion = tape.gradient(told, [middle, spread])
    count, size = count.astype(float), np.exp(-spread.numpy().astype(float))
    probability = size / (size + mean)
    far = stats.nbinom(size, probability).logpmf(count) - stats.poisson(np.maximum(count, 1e-9)).logpmf(count)
    assert told.numpy() == pytest.approx(-far, rel=1e-3, abs=5e-3 if mean < 1e3 else 5e-2)
    slope = -count / mean + (count + size) / (mean + size)
    assert mean * of_mean.numpy() == pytest.approx(mean * slope, rel=1e-3, abs=1e-4)
    of_size = digamma(count + size) - digamma(size) + np.log(probability) + (mean - count) / (mean + size)
    assert of_dispersion.numpy() == pytest.approx(size * of_size, rel=1e-3, abs=1e-3)


def test_what_is_missing_does_not_count():
    numbers, base, frame = np.tile(free(2.0, 1.0), (2, 2, 1)), np.zeros((2, 2), np.float32), np.tile(FRAME, (2, 1))
    some = ops.convert_to_tensor(np.array([[1.0, np.nan], [np.nan, 1.0]], np.float32))
    all_of_them = ops.convert_to_tensor(np.ones((2, 2), np.float32))
    losses = [float(head().loss(target, numbers, base, frame)) for target in (some, all_of_them, some * np.nan)]
    assert losses[0] == pytest.approx(losses[1]) and losses[2] == 0.0


@pytest.mark.parametrize("strategy", ["direct", "seq2seq"])
def test_a_network_learns_by_it_and_says_whole_numbers(strategy):
    shape = Shape(24, 6, LEVELS, known=2, seasons=(12,), segment=6, cycle=12)
    built = build(tiny(head="negative_binomial", strategy=strategy), shape, seed=1)
    generator = np.random.default_rng(0)
    inputs = {"past": generator.poisson(0.8, (16, 24, 3)), "known": generator.normal(size=(16, 6, 2))}
    inputs = {name: part.astype(np.float32) for name, part in inputs.items()}
    inputs["past"][0, :, 0] = 0.0  # nothing was ever counted
    target = generator.poisson(0.8, (16, 6)).astype(np.float32)
    built.prepare(inputs, target, np.zeros((1, 0), np.float32))
    lesson = built.lesson(inputs, target, 0)
    losses = [float(built.train.train_on_batch(lesson, target)) for _ in range(10)]
    assert losses[-1] < losses[0]
    built.calibrate(inputs, target)
    said = built.answer(inputs)["quantiles"]
    assert said == pytest.approx(np.round(said), abs=1e-4) and said.min() > -1e-4
    assert (np.diff(said, axis=-1) > -1e-4).all() and said.max() > 0


@pytest.mark.parametrize("value", [-1.0, 2.5])
def test_what_is_no_count_is_refused(value):
    values = np.full(120, 3.0)
    values[70] = value
    frame = pd.DataFrame({"unique_id": np.repeat(["a", "b"], 60), "ds": np.tile(np.arange(60), 2), "y": values})
    with pytest.raises(DataError, match=rf"counts.*series 'b' has {value:g} at 10; write head: student_t"):
        RecurrentForecaster(tiny(head="negative_binomial"), 6).fit(panel_from_frame(frame, Columns(id="unique_id")))
