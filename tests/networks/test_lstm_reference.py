"""An LSTM in NumPy, gate by gate as in the papers, to compare the layer with; and hand-worked numbers."""

from dataclasses import dataclass, field
from math import log, tanh

import keras
import numpy as np
import pytest

from forecaster.networks.lstm import LSTM

VARIANTS = {
    "plain": {},
    "no_bias": {"use_bias": False},
    "no_forget_gate": {"forget_gate": False},
    "coupled": {"coupled": True},
    "peephole": {"peephole": True},
    "output_peephole": {"peephole": ["output"]},
    "no_forget_gate_peephole": {"forget_gate": False, "peephole": True},
    "coupled_peephole": {"coupled": True, "peephole": True},
    "layer_norm": {"layer_norm": True},
    "layer_norm_no_bias": {"layer_norm": True, "use_bias": False},
    "layer_norm_coupled_peephole": {"layer_norm": True, "coupled": True, "peephole": True},
}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def normalise(v):
    return (v - v.mean(-1, keepdims=True)) / np.sqrt(v.var(-1, keepdims=True) + 1e-5)


@dataclass
class Reference:
    """The LSTM in float64. `weights` are named as the layer's; every gate cuts its columns out of them."""

    weights: dict[str, np.ndarray]
    forget_gate: bool = True
    coupled: bool = False
    peephole: bool | list[str] = False
    layer_norm: bool = False
    use_bias: bool = True
    order: list[str] = field(init=False)
    peepers: list[str] = field(init=False)

    def __post_init__(self):
        self.order = ["i"] * (not self.coupled) + ["f"] * self.forget_gate + ["g", "o"]
        names = {"i": "input", "f": "forget", "o": "output"}
        wanted = names.values() if self.peephole is True else self.peephole or []
        self.peepers = [gate for gate in "ifo" if gate in self.order and names[gate] in wanted]

    def z(self, gate, x, h):
        """The sum of one gate at one step."""
        w = self.weights
        xs, hs = x @ w["kernel"], h @ w["recurrent_kernel"]
        if self.layer_norm:
            xs, hs = normalise(xs) * w["input_gain"], normalise(hs) * w["recurrent_gain"]
        z = xs + hs + (w["bias"] if self.use_bias else 0)
        units, place = h.shape[-1], self.order.index(gate)
        return z[:, place * units : (place + 1) * units]

    def look(self, gate, c):
        """What a gate's peephole adds."""
        return self.weights["peephole_kernel"][self.peepers.index(gate)] * c if gate in self.peepers else 0

    def step(self, x, h, c):
        f = sigmoid(self.z("f", x, h) + self.look("f", c)) if self.forget_gate else 1.0
        i = 1 - f if self.coupled else sigmoid(self.z("i", x, h) + self.look("i", c))
        c = f * c + i * np.tanh(self.z("g", x, h))
        o = sigmoid(self.z("o", x, h) + self.look("o", c))
        shown = c
        if self.layer_norm:
            shown = normalise(c) * self.weights["cell_gain"]
            shown = shown + (self.weights["cell_offset"] if self.use_bias else 0)
        return o * np.tanh(shown), c

    def run(self, x, h=None, c=None, mask=None, input_mask=1.0, recurrent_mask=1.0):
        """Outputs (batch, time, units), h and c (batch, units); masked steps repeat the output before."""
        units = self.weights["recurrent_kernel"].shape[0]
        h = np.zeros((len(x), units)) if h is None else h
        c = np.zeros((len(x), units)) if c is None else c
        outputs, output = [], np.zeros((len(x), units))
        for t in range(x.shape[1]):
            new_h, new_c = self.step(x[:, t] * input_mask, h * recurrent_mask, c)
            on = np.ones((len(x), 1), bool) if mask is None else mask[:, t, None]
            h, c, output = np.where(on, new_h, h), np.where(on, new_c, c), np.where(on, new_h, output)
            outputs.append(output)
        return np.stack(outputs, axis=1), h, c


def randomise(layer, seed=0, scale=0.7):
    """Give every weight of a built layer a random value, so that none hides behind a zero or one."""
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(0, scale, weight.shape) for weight in layer.weights])
    return layer


def reference_of(layer, **options):
    """The reference with a built layer's weights."""
    weights = {weight.name: np.asarray(weight.numpy(), np.float64) for weight in layer.weights}
    known = ("forget_gate", "coupled", "peephole", "layer_norm", "use_bias")
    return Reference(weights, **{name: value for name, value in options.items() if name in known})


def differences(function, array, step=1e-6):
    """Central differences of a scalar function in every entry of `array`, which it reads in place."""
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        value = array[index]
        array[index] = value + step
        above = function()
        array[index] = value - step
        gradient[index] = (above - function()) / (2 * step)
        array[index] = value
    return gradient


# σ(ln 3) = 3/4, σ(-ln 3) = 1/4, tanh(ln 3) = 4/5, tanh(ln 2) = 3/5; Keras keeps constants in float32
LN3 = log(3)

CONSTANT = {
    "kernel_initializer": keras.initializers.Constant(LN3),
    "recurrent_initializer": "zeros",
    "unit_forget_bias": False,
    "return_sequences": True,
}


def run_ones(steps, initial_state=None, **options):
    """The outputs for an input of ones, one feature and one unit."""
    layer = LSTM(1, dtype="float64", **{**CONSTANT, **options})
    if initial_state is not None:
        initial_state = [np.full((1, 1), state, "float64") for state in initial_state]
    return np.asarray(layer(np.ones((1, steps, 1)), initial_state=initial_state)).ravel()


@pytest.mark.parametrize(
    ("options", "cells"),
    [
        # i = f = o = 3/4 and g = 4/5 at every step: c = 3/4 c + 3/5
        pytest.param({}, [0.6, 1.05, 1.3875], id="plain"),
        # i = 1/4: c = 3/4 c + 1/5
        pytest.param({"coupled": True}, [0.2, 0.35, 0.4625], id="coupled"),
        # c = c + 3/5
        pytest.param({"forget_gate": False}, [0.6, 1.2, 1.8], id="no_forget_gate"),
    ],
)
def test_hand_worked_cell_states_under_constant_weights(options, cells):
    np.testing.assert_allclose(run_ones(3, **options), [0.75 * tanh(c) for c in cells], rtol=1e-7)


def test_unit_forget_bias_adds_one_to_the_forget_gate_only():
    # c[0] = 1, and no weight but the bias: f = σ(1), i = o = 1/2, g = 0
    output = run_ones(1, [0, 1], kernel_initializer="zeros", unit_forget_bias=True)
    np.testing.assert_allclose(output, 0.5 * tanh(1 / (1 + np.exp(-1))), rtol=1e-12)


def test_the_hidden_state_comes_back_through_the_recurrent_kernel():
    # h[0] = 1 and U = ln 3 stand in for x = 1 and W = ln 3
    options = {"kernel_initializer": "zeros", "recurrent_initializer": keras.initializers.Constant(LN3)}
    np.testing.assert_allclose(run_ones(1, [1, 0], **options), 0.75 * tanh(0.6), rtol=1e-7)


@pytest.mark.parametrize(
    ("gates", "f", "o"), [(["forget"], 3 / 4, 1 / 2), (["input"], 1 / 2, 1 / 2), (["output"], 1 / 2, None)]
)
def test_hand_worked_peepholes(gates, f, o):
    # z = g = 0; c[0] = ln 3, seen with weight 1. Output gate sees the new c, ln 3 / 2: σ = √3 / (1 + √3)
    options = {"kernel_initializer": "zeros", "peephole": gates, "peephole_initializer": "ones"}
    o = 3**0.5 / (1 + 3**0.5) if o is None else o
    np.testing.assert_allclose(run_ones(1, [0, LN3], **options), o * tanh(f * LN3), rtol=1e-12)


def test_hand_worked_layer_normalisation():
    # x W = (1, 1, -1, -1), of variance 1, times the gain: i = f = σ(ln 3) = 3/4, g = -4/5, o = 1/4. A single
    # unit less its mean is 0, so tanh sees the offset of the cell alone, ln 2: h = 1/4 · 3/5
    layer = LSTM(1, layer_norm=True, dtype="float64")
    layer.build((1, 1, 1))
    gain = LN3 * np.sqrt(1 + 1e-5)
    weights = [[[1, 1, -1, -1]], np.zeros((1, 4)), np.zeros(4), np.full(4, gain), np.ones(4), [5], [log(2)]]
    layer.set_weights([np.array(weight, float) for weight in weights])
    np.testing.assert_allclose(np.asarray(layer(np.ones((1, 1, 1)))), [[0.15]], rtol=1e-12)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_equals_the_reference(name):
    options = VARIANTS[name]
    layer = LSTM(3, return_sequences=True, return_state=True, dtype="float64", **options)
    layer.build((2, 5, 4))
    randomise(layer)
    rng = np.random.default_rng(1)
    x, h, c = rng.normal(size=(2, 5, 4)), rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    got = layer(x, initial_state=[h, c])
    for ours, theirs in zip(got, reference_of(layer, **options).run(x, h, c), strict=True):
        np.testing.assert_allclose(np.asarray(ours), theirs, atol=1e-12)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_in_float32_equals_the_reference(name):
    layer = LSTM(3, return_sequences=True, **VARIANTS[name])
    x = np.random.default_rng(1).normal(size=(2, 6, 4)).astype("float32")
    layer.build(x.shape)
    randomise(layer)
    expected, _, _ = reference_of(layer, **VARIANTS[name]).run(x)
    np.testing.assert_allclose(np.asarray(layer(x)), expected, atol=2e-5)
