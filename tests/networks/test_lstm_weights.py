"""PyTorch's layout, and the weights' blocks."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from forecaster.errors import DefinitionError
from forecaster.networks.lstm import LSTM
from forecaster.networks.lstm_weights import from_torch, gate_blocks, to_torch
from tests.networks.test_lstm_reference import randomise, sigmoid

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 5, 3)).astype("float32")


def torch_lstm(state, x, suffix="l0"):
    """The equations in the documentation of torch.nn.LSTM, one sample at a time; the last h."""
    outputs = []
    for sample in x:
        h = c = np.zeros(state[f"weight_hh_{suffix}"].shape[1])
        for step in sample:
            z = state[f"weight_ih_{suffix}"] @ step + state[f"weight_hh_{suffix}"] @ h
            z = z + state.get(f"bias_ih_{suffix}", 0) + state.get(f"bias_hh_{suffix}", 0)
            i, f, g, o = np.split(z, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs)


@pytest.mark.parametrize("use_bias", [True, False])
def test_our_weights_in_torchs_layout(use_bias):
    layer = LSTM(4, use_bias=use_bias)
    layer.build(X.shape)
    randomise(layer)
    np.testing.assert_allclose(torch_lstm(to_torch(layer.get_weights()), X), layer(X), atol=1e-5)


@pytest.mark.parametrize("suffix", ["l0", "l1_reverse"])
@pytest.mark.parametrize("use_bias", [True, False])
def test_torchs_weights_in_our_layout(suffix, use_bias):
    shapes = {"weight_ih": (16, 3), "weight_hh": (16, 4)}
    shapes |= {"bias_ih": 16, "bias_hh": 16} if use_bias else {}
    state = {f"{name}_{suffix}": RNG.normal(size=shape) for name, shape in shapes.items()}
    layer = LSTM(4, use_bias=use_bias)
    layer.build(X.shape)
    layer.set_weights(from_torch(state, suffix))
    np.testing.assert_allclose(layer(X), torch_lstm(state, X, suffix), atol=1e-5)


def test_there_and_back():
    layer = LSTM(4)
    layer.build(X.shape)
    for ours, again in zip(layer.get_weights(), from_torch(to_torch(layer.get_weights())), strict=True):
        np.testing.assert_array_equal(ours, again)


def test_torch_itself_agrees():
    told = json.loads((Path(__file__).parent / "torch_lstm.json").read_text(encoding="utf-8"))
    state = {name: np.array(weight, "float32") for name, weight in told["state"].items()}
    x, outputs, last_cells = (np.array(told[name], "float32") for name in ("x", "outputs", "cell"))
    for direction, suffix in enumerate(("l0", "l0_reverse")):
        layer = LSTM(2, return_sequences=True, return_state=True, go_backwards=direction == 1)
        layer.build(x.shape)
        layer.set_weights(from_torch(state, suffix))
        sequence, hidden, cell = (np.asarray(array) for array in layer(x))
        sequence = sequence[:, ::-1] if direction else sequence
        np.testing.assert_allclose(sequence, outputs[:, :, 2 * direction : 2 * direction + 2], atol=1e-6)
        np.testing.assert_allclose(hidden, told["hidden"][direction], atol=1e-6)
        np.testing.assert_allclose(cell, last_cells[direction], atol=1e-6)


@pytest.mark.parametrize("use_bias", [True, False])
def test_weights_go_to_and_come_from_the_layer_of_keras(use_bias):
    layers = [kind(4, use_bias=use_bias, return_sequences=True) for kind in (LSTM, keras.layers.LSTM)]
    ours, theirs = (keras.Sequential([keras.Input((None, 3)), layer]) for layer in layers)
    randomise(layers[0])
    layers[1].set_weights(layers[0].get_weights())
    np.testing.assert_allclose(theirs(X), ours(X), atol=1e-5)
    randomise(layers[1], seed=1)
    layers[0].set_weights(layers[1].get_weights())
    np.testing.assert_allclose(ours(X), theirs(X), atol=1e-5)


@pytest.mark.parametrize("options", [{"coupled": True}, {"peephole": True}, {"layer_norm": True}])
def test_variants_that_torch_lacks_are_refused(options):
    layer = LSTM(4, **options)
    layer.build(X.shape)
    with pytest.raises(DefinitionError, match=r"plain LSTM.*Received shapes"):
        to_torch(layer.get_weights())


def test_a_torch_state_without_the_layer_is_refused():
    with pytest.raises(DefinitionError, match=r"weight_ih_l1 .*Received: \['weight_ih_l0'\]"):
        from_torch({"weight_ih_l0": np.ones((4, 1))}, "l1")


@pytest.mark.parametrize(
    ("forget_gate", "coupled", "blocks"),
    [
        (True, False, ("input", "forget", "candidate", "output")),
        (True, True, ("forget", "candidate", "output")),
        (False, False, ("input", "candidate", "output")),
    ],
)
def test_blocks(forget_gate, coupled, blocks):
    assert gate_blocks(forget_gate, coupled) == blocks
