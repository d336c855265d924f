"""The cell: its options, weights, seeds and dropout."""

import random

import keras
import numpy as np
import pytest
from keras import ops

from forecaster.errors import DefinitionError
from forecaster.networks.lstm import LSTM
from forecaster.networks.lstm_cell import LSTMCell
from tests.networks.test_lstm_reference import VARIANTS, randomise, reference_of

X = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")


@pytest.mark.parametrize(
    ("options", "shapes"),
    [
        ({}, {"kernel": (3, 20), "recurrent_kernel": (5, 20), "bias": (20,)}),
        ({"use_bias": False}, {"kernel": (3, 20), "recurrent_kernel": (5, 20)}),
        ({"coupled": True}, {"kernel": (3, 15), "recurrent_kernel": (5, 15), "bias": (15,)}),
        (
            {"forget_gate": False, "peephole": True},
            {"kernel": (3, 15), "recurrent_kernel": (5, 15), "bias": (15,), "peephole_kernel": (2, 5)},
        ),
        (
            {"layer_norm": True},
            {
                "kernel": (3, 20),
                "recurrent_kernel": (5, 20),
                "bias": (20,),
                "input_gain": (20,),
                "recurrent_gain": (20,),
                "cell_gain": (5,),
                "cell_offset": (5,),
            },
        ),
    ],
)
def test_weights_of_a_variant(options, shapes):
    cell = LSTMCell(5, **options)
    cell.build((None, 3))
    assert {weight.name: tuple(weight.shape) for weight in cell.weights} == shapes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"coupled": True, "forget_gate": False}, "`coupled` .* needs `forget_gate=True`.*Received: coupled"),
        ({"peephole": ["candidate"]}, "`peephole` .* input, forget, output. Received: .*'candidate'"),
        ({"peephole": "input"}, "`peephole` .* a list .*Received: peephole='input'"),
        ({"peephole": 3}, "`peephole` .*Received: peephole=3"),
        ({"peephole": ["input"], "coupled": True}, "`peephole` .* forget, output. Received"),
        ({"peephole": ["forget"], "forget_gate": False}, "`peephole` .* input, output. Received"),
        ({"units": 0}, "`units` is expected to be a positive integer. Received: 0"),
        ({"units": 2.5}, "`units` .*Received: 2.5"),
        ({"dropout": 1.0}, "`dropout` is expected to be a share .*Received: 1.0"),
        ({"recurrent_dropout": -0.1}, "`recurrent_dropout` .*Received: -0.1"),
        ({"seed": -1}, "`seed` .* an integer from 0. Received: -1"),
    ],
)
@pytest.mark.parametrize("layer", [LSTMCell, LSTM])
def test_impossible_options_are_refused(layer, options, message):
    with pytest.raises(DefinitionError, match=message):
        layer(**{"units": 4, **options})


def test_peepholes_named_in_any_order_are_the_same():
    first, second = LSTMCell(2, peephole=["output", "input"]), LSTMCell(2, peephole=("input", "output"))
    assert first.peephole == second.peephole == ("input", "output")


@pytest.mark.parametrize("name", VARIANTS)
def test_the_cell_in_keras_rnn_equals_the_layer(name):
    layer = LSTM(4, return_sequences=True, **VARIANTS[name])
    layer.build(X.shape)
    randomise(layer)
    rnn = keras.layers.RNN(LSTMCell(4, **VARIANTS[name]), return_sequences=True)
    rnn.build(X.shape)
    rnn.set_weights(layer.get_weights())
    np.testing.assert_allclose(rnn(X), layer(X), atol=1e-6)


def test_stacked_cells_equal_stacked_layers():
    rnn = keras.layers.RNN([LSTMCell(4, seed=1), LSTMCell(3, seed=2)])
    layers = keras.Sequential([LSTM(4, return_sequences=True, seed=1), LSTM(3, seed=2)])
    np.testing.assert_allclose(rnn(X), layers(X), atol=1e-6)


def test_activity_shows_the_gates_of_a_step():
    cell = LSTMCell(4, coupled=True, peephole=["output"])
    cell.build((2, 3))
    randomise(cell)
    h, c = np.full((2, 4), 0.3, "float32"), np.full((2, 4), -0.2, "float32")
    activity = cell.step(X[:, 0], [h, c], cell.joined_kernel(), None)
    output, states = cell(X[:, 0], [h, c])
    np.testing.assert_allclose(activity.input + activity.forget, 1, atol=1e-6)
    new_cell = activity.forget * c + activity.input * activity.candidate
    np.testing.assert_allclose(activity.cell, new_cell, atol=1e-6)
    np.testing.assert_allclose(activity.output * np.tanh(activity.cell), output, atol=1e-6)
    np.testing.assert_allclose(states[0], output)
    np.testing.assert_allclose(states[1], activity.cell)


def initial_weights(**options):
    layer = LSTM(4, **options)
    layer.build(X.shape)
    return layer.get_weights()


def test_a_seed_fixes_the_initial_weights_whatever_was_drawn_before():
    options = {"seed": 7, "peephole": True, "peephole_initializer": "normal", "bias_initializer": "normal"}
    first = initial_weights(**options)
    random.seed(99)
    keras.utils.set_random_seed(5)
    for ours, again in zip(first, initial_weights(**options), strict=True):
        np.testing.assert_array_equal(ours, again)
    for ours, other in zip(first, initial_weights(**{**options, "seed": 8}), strict=True):
        assert not np.allclose(ours, other)


def test_the_matrices_of_one_seed_are_drawn_apart():
    layer = LSTM(4, seed=1, kernel_initializer="normal", recurrent_initializer="normal")
    layer.build((None, None, 4))
    kernel, recurrent_kernel, _ = layer.get_weights()
    assert not np.allclose(kernel, recurrent_kernel)


def test_an_initializer_keeps_its_own_seed():
    initializer = keras.initializers.GlorotUniform(seed=3)
    first, second = (initial_weights(kernel_initializer=initializer, seed=seed) for seed in (1, 2))
    np.testing.assert_array_equal(first[0], second[0])
    assert not np.allclose(first[1], second[1])


def dropped(rate, shape, generator):
    return np.asarray(keras.random.dropout(ops.ones(shape), rate, seed=generator))


@pytest.mark.parametrize("kind", [LSTM, LSTMCell])
@pytest.mark.parametrize("name", ["plain", "layer_norm_coupled_peephole"])
def test_dropout_draws_one_mask_for_the_whole_sequence(kind, name):
    layer = kind(4, dropout=0.4, recurrent_dropout=0.5, seed=11, **VARIANTS[name])
    layer = keras.layers.RNN(layer) if kind is LSTMCell else layer
    layer.build(X.shape)
    randomise(layer)
    generator = keras.random.SeedGenerator(11)
    masks = {"input_mask": dropped(0.4, (2, 3), generator), "recurrent_mask": dropped(0.5, (2, 4), generator)}
    _, expected, _ = reference_of(layer, **VARIANTS[name]).run(X, **masks)
    first, second = np.asarray(layer(X, training=True)), np.asarray(layer(X, training=True))
    np.testing.assert_allclose(first, expected, atol=1e-5)
    assert not np.allclose(first, second)


def test_inference_drops_nothing_and_leaves_the_seed():
    layer = LSTM(4, dropout=0.4, recurrent_dropout=0.5, seed=11)
    expected = LSTM(4, seed=11)(X)
    np.testing.assert_array_equal(layer(X), expected)
    before = np.asarray(layer.cell.seed_generator.state)
    layer(X)
    np.testing.assert_array_equal(layer.cell.seed_generator.state, before)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_cell_can_be_made_again_from_its_config(name):
    cell = LSTMCell(4, seed=3, dropout=0.1, activation="relu", name="a", dtype="float64", **VARIANTS[name])
    config = keras.saving.serialize_keras_object(cell)
    again = keras.saving.deserialize_keras_object(config)
    assert config["registered_name"] == "forecaster>LSTMCell"
    assert keras.saving.serialize_keras_object(again) == config
