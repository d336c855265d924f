"""The layer on Keras' JAX backend. A process has one backend, so this file runs itself in another process.

Where JAX has an environment of its own, this there does the same, and says nothing if all is well:

    KERAS_BACKEND=jax PYTHONPATH=.:tests/networks python tests/networks/test_lstm_jax.py
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).resolve()
REPOSITORY = HERE.parents[2]


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="the extra jax is not installed")
def test_the_layer_on_jax():
    environment = os.environ | {
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{HERE.parent}",
    }
    command = [sys.executable, HERE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def outputs_and_gradients_equal_the_reference(name, options):
    import jax
    from test_lstm_reference import differences, randomise, reference_of

    from forecaster.networks.lstm import LSTM

    rng = np.random.default_rng(0)
    x, mask = rng.normal(size=(2, 4, 2)), np.array([[1, 1, 0, 1], [0, 1, 1, 0]], bool)
    layer = LSTM(3, return_sequences=True, **options)
    layer.build(x.shape)
    randomise(layer)
    reference = reference_of(layer, **options)
    expected, _, _ = reference.run(x, mask=mask)
    np.testing.assert_allclose(layer(x, mask=mask), expected, atol=1e-5, err_msg=name)

    @jax.jit
    @jax.grad
    def gradient(weights):
        outputs, _ = layer.stateless_call(weights, [], x, mask=mask, training=True)
        return (outputs**2).sum()

    def loss():
        return np.sum(reference.run(x, mask=mask)[0] ** 2)

    for weight, got in zip(layer.weights, gradient([weight.value for weight in layer.weights]), strict=True):
        expected = differences(loss, reference.weights[weight.name])
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4, err_msg=f"{name}, {weight.name}")


def the_cell_in_keras_rnn_equals_the_layer():
    import keras

    from forecaster.networks.lstm import LSTM
    from forecaster.networks.lstm_cell import LSTMCell

    x = np.random.default_rng(0).normal(size=(2, 4, 2)).astype("float32")
    options = {"peephole": True, "seed": 1, "dropout": 0.2, "recurrent_dropout": 0.3}
    layer, rnn = LSTM(3, **options), keras.layers.RNN(LSTMCell(3, **options))
    for training in (True, False):
        np.testing.assert_allclose(layer(x, training=training), rnn(x, training=training), atol=1e-6)


def a_model_learns_and_is_saved(folder):
    import keras

    from forecaster.networks.lstm import LSTM

    layers = [LSTM(4, return_sequences=True, recurrent_dropout=0.1, seed=1), LSTM(4, layer_norm=True, seed=2)]
    model = keras.Sequential([keras.Input((None, 2)), *layers, keras.layers.Dense(1)])
    x = np.random.default_rng(0).normal(size=(32, 6, 2)).astype("float32")
    model.compile(keras.optimizers.Adam(0.03), "mse")
    losses = model.fit(x, x[:, -2, :1], epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0], losses
    model.save(folder / "model.keras")
    np.testing.assert_array_equal(keras.saving.load_model(folder / "model.keras")(x), model(x))


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    from test_lstm_reference import VARIANTS

    for variant in ("plain", "no_forget_gate_peephole", "layer_norm_coupled_peephole"):
        outputs_and_gradients_equal_the_reference(variant, VARIANTS[variant])
    the_cell_in_keras_rnn_equals_the_layer()
    with TemporaryDirectory() as temporary:
        a_model_learns_and_is_saved(Path(temporary))
