"""How far gradients reach, on cases whose answer is known."""

import keras
import numpy as np
import pytest
from keras import ops

from forecaster.networks.inspection import gradient_reach, verdict
from forecaster.networks.lstm import LSTM

layers = keras.layers
STEPS = 40


def reach(layer, weights, steps=STEPS, features=1, windows=2):
    """The reach of a layer with given weights, the loss being its last output's mean over units and windows."""
    model = keras.Sequential([keras.Input((steps, features)), layer])
    layer.set_weights(weights)
    inputs = np.zeros((windows, steps, features), "float32")
    return gradient_reach(model, inputs, ops.mean)


def test_repeated_sigmoids_flatten_the_gradient():
    """h = σ(h): every step multiplies the gradient by h (1 - h), a quarter at most; by hand."""
    found = reach(layers.SimpleRNN(1, activation="sigmoid"), [np.zeros((1, 1)), np.ones((1, 1)), np.zeros(1)])
    [layer] = found.layers
    states = [0.0]
    for _ in range(STEPS):
        states.append(1 / (1 + np.exp(-states[-1])))
    slopes = [h * (1 - h) for h in states[:0:-1]]
    assert layer.norms[:12] == pytest.approx(np.concatenate([[1.0], np.cumprod(slopes)])[:12], rel=1e-4)
    assert layer.verdict.name == "vanishing" and layer.verdict.reach == 3
    assert "take a gated network" in layer.verdict.advice


@pytest.mark.parametrize("radius", [1.0, 1.3])
def test_a_spectral_radius_above_one_explodes_until_it_is_clipped(radius):
    rotation = np.array([[0.6, 0.8], [-0.8, 0.6]])
    weights = [np.ones((1, 2)), radius * rotation, np.ones(2)]
    found = reach(layers.SimpleRNN(2, activation="linear"), weights)
    [layer] = found.layers
    assert layer.norms == pytest.approx(np.sqrt(0.5) * radius ** np.arange(STEPS + 1), rel=1e-4)
    if radius == 1.0:
        assert layer.verdict.name == "healthy"
        return
    assert layer.verdict.name == "exploding" and layer.verdict.factor == pytest.approx(1.3, rel=1e-3)
    assert found.weights > 1e4
    factor = found.clipped(1.0)
    assert factor * found.weights == pytest.approx(1.0)
    assert (factor * layer.norms).max() < 1.0, "after clipping, no step says more than the allowed norm"


@pytest.mark.parametrize("layer", [layers.LSTM, LSTM])
@pytest.mark.parametrize(("bias", "word"), [(20.0, "healthy"), (0.0, "vanishing")])
def test_an_lstm_with_its_forget_gate_open_carries_the_gradient(layer, bias, word):
    """No weight but the forget gate's bias: d h[T] / d c[t] = o σ(bias) ** lag with o = 1/2; nothing goes through h."""
    weights = [np.zeros((1, 4)), np.zeros((1, 4)), np.array([0.0, bias, 0.0, 0.0])]
    [found] = reach(layer(1), weights).layers
    forget = 1 / (1 + np.exp(-bias))
    assert found.by_state["hidden"][1:] == pytest.approx(0)
    assert found.by_state["cell"][1:] == pytest.approx(0.5 * forget ** np.arange(1, STEPS + 1), rel=1e-4)
    assert found.verdict.name == word


def test_a_gru_with_its_update_gate_open_carries_the_gradient():
    weights = [np.zeros((1, 3)), np.zeros((1, 3)), np.array([[20.0, 0.0, 0.0], [0.0, 0.0, 0.0]])]
    [found] = reach(layers.GRU(1), weights).layers
    assert found.verdict.name == "healthy" and found.norms == pytest.approx(1.0, rel=1e-4)


def test_norms_are_those_of_finite_differences_and_frozen_layers_have_them_too():
    model = keras.Sequential([keras.Input((5, 2)), LSTM(3, seed=1), layers.Dense(1)])
    model.trainable = False
    inputs = np.random.default_rng(0).normal(size=(1, 5, 2)).astype("float32")
    [layer] = gradient_reach(model, inputs, ops.mean).layers
    lstm, head = model.layers

    def value(hidden, cell):
        outputs = lstm(inputs[:, 3:], initial_state=[ops.convert_to_tensor(hidden), ops.convert_to_tensor(cell)])
        return float(head(outputs)[0, 0])

    _, h, c = layers.RNN(lstm.cell, return_state=True)(inputs[:, :3])
    states = [np.array(h), np.array(c)]
    slopes = []
    for which in range(2):
        for unit in range(3):
            up, down = ([state.copy() for state in states] for _ in range(2))
            up[which][0, unit] += 0.01
            down[which][0, unit] -= 0.01
            slopes.append((value(*up) - value(*down)) / 0.02)
    assert layer.norms[2] == pytest.approx(np.linalg.norm(slopes), rel=1e-3)


def test_each_layer_of_a_stack_has_its_reach_and_windows_do_not_change_it():
    model = keras.Sequential(
        [keras.Input((9, 1)), layers.GRU(3, return_sequences=True, seed=1), layers.SimpleRNN(2, seed=2)]
    )
    one = np.ones((1, 9, 1), "float32")
    alone, four = (gradient_reach(model, np.repeat(one, count, axis=0), ops.mean).layers for count in (1, 4))
    assert [layer.kind for layer in alone] == ["gru", "simple_rnn"]
    for single, several in zip(alone, four, strict=True):
        assert several.norms == pytest.approx(single.norms, rel=1e-4)


def test_sequences_that_a_layer_reads_one_after_the_other_are_not_one_long_sequence():
    """h = x + h / 2: at lag k each has the half of the gradient k times, whatever was read before it."""
    rnn = layers.SimpleRNN(1, activation="linear")
    model = keras.Sequential([keras.Input((2, 12, 1)), layers.TimeDistributed(rnn), layers.Flatten()])
    rnn.set_weights([np.ones((1, 1)), np.full((1, 1), 0.5), np.zeros(1)])
    [layer] = gradient_reach(model, np.zeros((3, 2, 12, 1), "float32"), lambda said: ops.mean(ops.sum(said, 1))).layers
    assert layer.norms == pytest.approx(2 * 0.5 ** np.arange(13), rel=1e-5)
    assert "of 12 steps" in layer.verdict.words


def test_sequences_of_several_lengths_have_each_their_reach():
    rnn = layers.SimpleRNN(1, activation="linear")
    long, short = keras.Input((12, 1)), keras.Input((5, 1))
    model = keras.Model([long, short], layers.Concatenate()([rnn(long), rnn(short)]))
    rnn.set_weights([np.ones((1, 1)), np.full((1, 1), 0.5), np.zeros(1)])
    inputs = [np.zeros((3, 12, 1), "float32"), np.zeros((3, 5, 1), "float32")]
    found = gradient_reach(model, inputs, lambda said: ops.mean(said[:, 0] + 3 * said[:, 1])).layers
    assert [layer.layer for layer in found] == ["simple rnn, 12 steps", "simple rnn, 5 steps"]
    assert found[0].norms == pytest.approx(0.5 ** np.arange(13), rel=1e-5)
    assert found[1].norms == pytest.approx(3 * 0.5 ** np.arange(6), rel=1e-5)


def test_states_with_rows_and_columns_have_one_norm_a_window():
    """A convolution of size 1 whose gates are half open whatever comes: c = c / 2 + …, nothing goes through h."""
    layer = layers.ConvLSTM2D(1, 1, recurrent_activation="sigmoid", unit_forget_bias=False)
    model = keras.Sequential([keras.Input((4, 3, 3, 1)), layer])
    layer.set_weights([np.zeros((1, 1, 1, 4)), np.zeros((1, 1, 1, 4)), np.zeros(4)])
    [found] = gradient_reach(model, np.zeros((2, 4, 3, 3, 1), "float32"), ops.mean).layers
    assert found.norms.shape == (5,)
    assert found.by_state["state 2"][1:] == pytest.approx(0.5 * 0.5 ** np.arange(1, 5) / 3, rel=1e-5)
    assert found.by_state["hidden"] == pytest.approx([1 / 3, 0, 0, 0, 0], abs=1e-7)


def test_nothing_reaches_through_a_head_that_is_zero():
    model = keras.Sequential([keras.Input((9, 1)), layers.GRU(3), layers.Dense(1, kernel_initializer="zeros")])
    [layer] = gradient_reach(model, np.ones((1, 9, 1), "float32"), ops.mean).layers
    assert layer.verdict.name == "none" and "head" in layer.verdict.advice


@pytest.mark.parametrize(
    ("norms", "name", "reach"),
    [
        (np.ones(11), "healthy", 10),
        (0.9 ** np.arange(11), "healthy", 10),
        (0.1 ** np.arange(11), "vanishing", 2),
        (np.array([1.0, 0.5, 0.0, 0.0]), "vanishing", 1),
        (2.0 ** np.arange(11), "exploding", 10),
        (np.array([1.0, np.inf]), "exploding", 0),
        (np.array([1.0, np.nan]), "exploding", 0),
        (np.zeros(4), "none", 0),
    ],
)
def test_verdicts(norms, name, reach):
    said = verdict(norms, "lstm")
    assert (said.name, said.reach) == (name, reach)
    assert said.words.startswith(name)
    assert bool(said.advice) == (name != "healthy")
    assert ("segment: n" in said.advice) == (name == "vanishing")
    assert "segment" not in verdict(norms, "lstm", segments=False).advice
