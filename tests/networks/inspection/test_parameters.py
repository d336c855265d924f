"""Counts by matrix, against counts worked out by hand and against Keras' own."""

import keras
import pytest

from forecaster.networks.inspection import parameters
from forecaster.networks.lstm import LSTM

layers = keras.layers


def counts(*stack, features=2):
    model = keras.Sequential([keras.Input((None, features)), *stack])
    found = parameters(model)
    assert sum(layer.count for layer in found) == model.count_params()
    return {matrix.name: matrix.count for layer in found for matrix in layer.matrices}


def test_the_elman_network_of_two_inputs_four_units_and_one_output():
    assert counts(layers.SimpleRNN(4), layers.Dense(1)) == {"W_xh": 8, "W_hh": 16, "b_h": 4, "W_hy": 4, "b_y": 1}


def test_the_feed_forward_network_of_the_same_sizes():
    assert counts(layers.Dense(4, "tanh"), layers.Dense(1)) == {"W_xh": 8, "b_h": 4, "W_hy": 4, "b_y": 1}


def test_a_gru_has_three_blocks_and_two_biases_unless_it_resets_before_the_product():
    found = counts(layers.GRU(4))
    assert {name: found[name] for name in ("W_xz", "W_xr", "W_xg", "W_hz", "W_hr", "W_hg")} == {
        "W_xz": 8, "W_xr": 8, "W_xg": 8, "W_hz": 16, "W_hr": 16, "W_hg": 16,
    }  # fmt: skip
    assert [name for name in found if name.startswith("b")] == ["b_xz", "b_xr", "b_xg", "b_hz", "b_hr", "b_hg"]
    assert [name for name in counts(layers.GRU(4, reset_after=False)) if name.startswith("b")] == ["b_z", "b_r", "b_g"]


@pytest.mark.parametrize("layer", [layers.LSTM, LSTM])
def test_an_lstm_has_four_blocks(layer):
    found = counts(layer(4))
    letters = ["i", "f", "g", "o"]
    assert list(found) == [f"{matrix}{gate}" for matrix in ("W_x", "W_h", "b_") for gate in letters]
    assert [found[f"W_x{gate}"] for gate in letters] == [8] * 4
    assert not [name for name in counts(layer(4, use_bias=False)) if name.startswith("b")]


@pytest.mark.parametrize(
    ("options", "more", "without"),
    [
        ({"peephole": True}, {"p_i": 4, "p_f": 4, "p_o": 4}, set()),
        ({"peephole": ["output"]}, {"p_o": 4}, {"p_i"}),
        ({"coupled": True}, {}, {"W_xi", "W_hi", "b_i"}),
        ({"forget_gate": False}, {}, {"W_xf", "W_hf", "b_f"}),
        ({"layer_norm": True}, {"α_x": 16, "α_h": 16, "α_c": 4, "β_c": 4}, set()),
    ],
)
def test_variants_of_the_own_lstm(options, more, without):
    found = counts(LSTM(4, **options))
    assert {name: found[name] for name in more} == more
    assert not without & set(found)


def test_formulas_say_how_the_counts_come_about():
    [lstm, head] = parameters(keras.Sequential([keras.Input((None, 3)), LSTM(5), layers.Dense(2, name="head")]))
    assert (lstm.layer, lstm.kind, lstm.formula, lstm.count) == ("lstm", "custom_lstm", "4 × (3 × 5 + 5 × 5 + 5)", 180)
    assert [matrix.formula for matrix in head.matrices] == ["5 units × 2 outputs", "2 outputs"]


def test_weights_of_unknown_layers_and_frozen_ones_are_counted_too():
    model = keras.Sequential([keras.Input((None, 2)), layers.SimpleRNN(3), layers.BatchNormalization()])
    [_, norm] = parameters(model)
    assert {matrix.name: matrix.trainable for matrix in norm.matrices} == {
        "gamma": True, "beta": True, "moving_mean": False, "moving_variance": False,
    }  # fmt: skip
