"""Gradients: against finite differences of the NumPy reference, and against keras.layers.LSTM."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from forecaster.networks.lstm import LSTM
from tests.networks.test_lstm_reference import VARIANTS, differences, randomise, reference_of


@pytest.mark.parametrize("name", VARIANTS)
def test_gradients_equal_finite_differences(name):
    options = VARIANTS[name]
    rng = np.random.default_rng(2)
    x, h, c = rng.normal(size=(2, 3, 2)), rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    pull = rng.normal(size=(2, 3, 3)), rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    layer = LSTM(3, return_sequences=True, return_state=True, dtype="float64", **options)
    layer.build(x.shape)
    randomise(layer)

    sources = [tf.Variable(array) for array in (x, h, c)]
    with tf.GradientTape() as tape:
        results = layer(sources[0], initial_state=sources[1:])
        loss = sum(tf.reduce_sum(p * result) for p, result in zip(pull, results, strict=True))
    got = tape.gradient(loss, [*(weight.value for weight in layer.weights), *sources])

    reference = reference_of(layer, **options)

    def loss_of_reference():
        return sum(np.sum(p * result) for p, result in zip(pull, reference.run(x, h, c), strict=True))

    arrays = [*(reference.weights[weight.name] for weight in layer.weights), x, h, c]
    assert len(got) == len(arrays) == len(layer.weights) + 3
    for array, gradient in zip(arrays, got, strict=True):
        np.testing.assert_allclose(gradient, differences(loss_of_reference, array), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("options", "jit_compile"),
    [
        ({}, False),
        ({"return_sequences": True}, True),
        ({"return_sequences": True, "go_backwards": True}, False),
        ({"use_bias": False}, False),
        ({"unroll": True}, False),
        ({"activation": "relu", "recurrent_activation": "hard_sigmoid"}, False),
    ],
)
def test_outputs_states_and_gradients_equal_those_of_keras(options, jit_compile):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(4, 7, 3)).astype("float32")
    state = [rng.normal(size=(4, 5)).astype("float32") for _ in range(2)]
    theirs = keras.layers.LSTM(5, return_state=True, **options)
    ours = LSTM(5, return_state=True, **options)
    theirs.build(x.shape)
    ours.build(x.shape)
    randomise(theirs, scale=0.5)
    ours.set_weights(theirs.get_weights())

    def results_and_gradients(layer):
        @tf.function(jit_compile=jit_compile)
        def run(x, state):
            weights = [weight.value for weight in layer.weights]
            with tf.GradientTape() as tape:
                tape.watch([x, state])
                results = layer(x, initial_state=state)
                loss = sum(tf.reduce_mean(tf.square(result)) for result in results)
            return results, tape.gradient(loss, [x, state, weights])

        return tf.nest.flatten(run(tf.constant(x), [tf.constant(array) for array in state]))

    for our, their in zip(results_and_gradients(ours), results_and_gradients(theirs), strict=True):
        np.testing.assert_allclose(our, their, atol=1e-5, rtol=1e-5)
