"""Dilated recurrence against its definition, h[t] = cell(x[t], h[t − d])."""

import keras
import numpy as np
import pytest

from forecaster.networks.dilated import Dilated

UNITS = 3


def in_numpy(inputs, weights, dilation, residual):
    kernel, recurrent, bias = weights
    steps = inputs.shape[1]
    short = -steps % dilation
    padded = np.pad(inputs, [(0, 0), (short, 0), (0, 0)])
    hidden = []
    for step in range(steps + short):
        before = hidden[step - dilation] if step >= dilation else np.zeros((len(inputs), UNITS))
        hidden.append(np.tanh(padded[:, step] @ kernel + before @ recurrent + bias))
    out = np.stack(hidden, axis=1)[:, short:]
    return out + inputs if residual else out


@pytest.mark.parametrize(("dilation", "steps"), [(1, 7), (2, 8), (3, 7), (4, 3)])
@pytest.mark.parametrize("residual", [False, True])
def test_states_are_joined_d_steps_apart(dilation, steps, residual):
    generator = np.random.default_rng(dilation)
    inputs = generator.normal(size=(2, steps, UNITS)).astype(np.float32)
    layer = Dilated(keras.layers.SimpleRNN(UNITS, return_sequences=True), dilation, residual)
    layer(inputs)
    weights = [generator.normal(0, 0.7, weight.shape) for weight in layer.get_weights()]
    layer.set_weights(weights)
    wanted = in_numpy(inputs, weights, dilation, residual)
    assert np.allclose(layer(inputs), wanted, atol=1e-5)
    last = Dilated(keras.layers.SimpleRNN(UNITS), dilation, residual)
    last(inputs)
    last.set_weights(weights)
    assert np.allclose(last(inputs), wanted[:, -1], atol=1e-5)


def test_it_is_rebuilt_from_its_config_with_the_layer_inside():
    layer = Dilated(keras.layers.GRU(4, return_sequences=True), 2, residual=True)
    again = Dilated.from_config(layer.get_config())
    assert (again.dilation, again.residual, again.layer.units, again.layer.return_sequences) == (2, True, 4, True)
