"""The layer on Keras' JAX backend. A process has one backend, so this file runs itself in another process.

Where JAX has an environment of its own, this there does the same, and says nothing if all is well:

    KERAS_BACKEND=jax PYTHONPATH=.:tests/networks python tests/networks/test_lstm_jax.py
"""

import importlib.util
import os
import subprocess
import sys
from functools import partial
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
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",  # compiling is what takes the time here
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

    @jax.jit
    @partial(jax.grad, has_aux=True)
    def gradient(weights):
        outputs, _ = layer.stateless_call(weights, [], x, mask=mask, training=True)
        return (outputs**2).sum(), outputs

    def loss():
        return np.sum(reference.run(x, mask=mask)[0] ** 2)

    found, outputs = gradient([weight.value for weight in layer.weights])
    np.testing.assert_allclose(outputs, reference.run(x, mask=mask)[0], atol=1e-5, err_msg=name)
    for weight, got in zip(layer.weights, found, strict=True):
        expected = differences(loss, reference.weights[weight.name])
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4, err_msg=f"{name}, {weight.name}")


def the_cell_in_keras_rnn_equals_the_layer():
    import keras

    from forecaster.networks.lstm import LSTM
    from forecaster.networks.lstm_cell import LSTMCell

    x = np.random.default_rng(0).normal(size=(2, 4, 2)).astype("float32")
    options = {"peephole": True, "seed": 1, "dropout": 0.2, "recurrent_dropout": 0.3}
    layer, rnn = LSTM(3, **options), keras.layers.RNN(LSTMCell(3, **options))
    np.testing.assert_allclose(layer(x, training=True), rnn(x, training=True), atol=1e-6)


def a_model_learns_and_is_saved(folder):
    import keras

    from forecaster.networks.lstm import LSTM

    lstm = LSTM(6, layer_norm=True, recurrent_dropout=0.1, seed=1)
    model = keras.Sequential([keras.Input((None, 2)), lstm, keras.layers.Dense(1)])
    x = np.random.default_rng(0).normal(size=(32, 4, 2)).astype("float32")
    model.compile(keras.optimizers.Adam(0.05), "mse")
    losses = model.fit(x, x[:, -2, :1], epochs=20, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0], losses
    model.save(folder / "model.keras")
    again = keras.saving.load_model(folder / "model.keras")
    np.testing.assert_allclose(again.predict_on_batch(x), model.predict_on_batch(x), atol=1e-6)


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    from test_lstm_reference import VARIANTS

    for variant in ("plain", "layer_norm_coupled_peephole"):
        outputs_and_gradients_equal_the_reference(variant, VARIANTS[variant])
    the_cell_in_keras_rnn_equals_the_layer()
    with TemporaryDirectory() as temporary:
        a_model_learns_and_is_saved(Path(temporary))
