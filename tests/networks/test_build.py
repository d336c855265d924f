"""A whole network: its inputs, its layers, its round trip through a file."""

import keras
import numpy as np
import pytest

from forecaster.networks.build import Shape, build
from tests.synthetic import tiny

SHAPE = Shape(24, 6, (0.1, 0.5, 0.9), past=1, known=2, static=1, seasons=(12,), segment=7)


def inputs(batch=3):
    generator = np.random.default_rng(0)
    shapes = {"past": (batch, 24, 4), "known": (batch, 6, 2), "static": (batch, 1)}
    return {name: generator.normal(10, 2, shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.mark.parametrize("network", ["simple_rnn", "lstm", "gru", "custom_lstm"])
def test_a_network_reads_raw_windows_and_returns_raw_quantiles(network, tmp_path):
    built = build(tiny(network, layers=2, dropout=0.1), SHAPE, seed=1)
    assert set(built.forecast.input) == {"past", "known", "static"}
    said = built.forecast(inputs())["quantiles"]
    assert said.shape == (3, 6, 3)
    built.forecast.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert np.allclose(again(inputs())["quantiles"], said, rtol=1e-5)


def test_the_untrained_network_says_the_naive_base_in_raw_units():
    built = build(tiny(), Shape(24, 6, (0.1, 0.5, 0.9), seasons=(12,)), seed=1)
    past = np.arange(24, dtype=np.float32).reshape(1, 24, 1)
    said = np.asarray(built.forecast({"past": past})["quantiles"])
    assert said[0, :, 1] == pytest.approx(np.arange(12, 18), abs=1e-4)


def test_compiling_with_xla_gives_the_same_training():
    losses = []
    for jit in (False, True):
        built = build(tiny("simple_rnn", jit_compile=jit), Shape(24, 6, (0.1, 0.5, 0.9)), seed=1)
        past = inputs()["past"][:, :, :1]
        losses.append([float(built.train.train_on_batch({"past": past}, past[:, :6, 0])) for _ in range(5)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_a_lookback_that_is_no_multiple_of_the_segment_is_padded_in_front():
    built = build(tiny(), Shape(10, 2, (0.1, 0.5, 0.9), segment=4), seed=1)
    past = np.ones((2, 10, 1), np.float32)
    past[1, 0] = 5
    said = np.asarray(built.base({"past": past})[1])
    assert said[0, 0] != said[1, 0], "the oldest step of the lookback is seen"
    recurrence = built.forecast.get_layer("recurrence")
    assert recurrence.input_shape[1:] == (3, 8)
