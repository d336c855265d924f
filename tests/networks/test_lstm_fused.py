"""The kernel for a whole sequence: it gives what the loop gives, and the loop steps in where it cannot."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from forecaster.errors import DefinitionError
from forecaster.networks import lstm_fused
from forecaster.networks.lstm import LSTM
from tests.networks.test_lstm_reference import VARIANTS, randomise

RNG = np.random.default_rng(4)
WIDE = lstm_fused.WIDE + 1
KERNEL = "BlockLSTMV2"


def pair(units, shape, **options):
    """The layer by the kernel and by the loop, with the same weights."""
    layers = [LSTM(units, return_state=True, implementation=name, **options) for name in ("fused", "loop")]
    for layer in layers:
        layer.build(shape)
        randomise(layer, scale=0.3)
    return layers


def results_and_gradients(layer, x, state, open_batch, training=None):
    """Outputs, states, and the gradients of a weighted sum of them for inputs, states and weights."""
    spec = [tf.TensorSpec([None if open_batch else len(x), *x.shape[1:]])]

    @tf.function(input_signature=[*spec, [tf.TensorSpec([None, layer.units])] * 2])
    def run(x, state):
        weights = [weight.value for weight in layer.weights]
        with tf.GradientTape() as tape:
            tape.watch([x, state])
            results = layer(x, initial_state=state, training=training)
            pulls = [tf.sin(tf.reshape(tf.range(tf.size(part), dtype="float32"), tf.shape(part))) for part in results]
            loss = sum(tf.reduce_mean(pull * part) for pull, part in zip(pulls, results, strict=True))
        return [*results, *tape.gradient(loss, [x, *state, *weights])]

    return run(x, state)


@pytest.mark.parametrize(
    ("options", "units", "batch", "open_batch"),
    [
        ({}, 3, 1, False),
        ({}, 3, 5, True),
        ({}, WIDE, 5, True),
        ({}, WIDE, 33, False),
        ({}, 3, 130, True),
        ({"return_sequences": True}, 3, 33, True),
        ({"return_sequences": True, "go_backwards": True}, WIDE, 34, True),
        ({"go_backwards": True, "use_bias": False}, WIDE, 2, False),
        ({"return_sequences": True, "peephole": True, "use_bias": False}, 3, 34, True),
        ({"peephole": ["forget", "output"]}, WIDE, 3, False),
        ({"dropout": 0.5}, 3, 2, False),
    ],
)
def test_outputs_states_and_gradients_equal_those_of_the_loop(options, units, batch, open_batch):
    x = RNG.normal(size=(batch, 4, 2)).astype("float32")
    state = [RNG.normal(size=(batch, units)).astype("float32") for _ in range(2)]
    fused, loop = (results_and_gradients(layer, x, state, open_batch) for layer in pair(units, x.shape, **options))
    assert len(fused) >= 8
    for ours, theirs in zip(fused, loop, strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "batch", "open_batch"),
    [({"return_sequences": True, "dropout": 0.3}, 34, True), ({"use_bias": False, "go_backwards": True}, 3, False)],
)
def test_recurrent_dropout_is_that_of_the_loop(options, batch, open_batch):
    x = RNG.normal(size=(batch, 4, 2)).astype("float32")
    state = [RNG.normal(size=(batch, WIDE)).astype("float32") for _ in range(2)]
    layers = pair(WIDE, x.shape, recurrent_dropout=0.5, seed=11, **options)
    fused, loop = (results_and_gradients(layer, x, state, open_batch, training=True) for layer in layers)
    for ours, theirs in zip(fused, loop, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    kept = results_and_gradients(layers[0], x, state, open_batch)
    assert not np.allclose(fused[0], kept[0], atol=1e-3)


@pytest.mark.parametrize("rows", [0, 1, 15, 16, 63, 127, 128, 129, 1000, 5000])
def test_every_row_of_a_batch_is_in_one_part(rows):
    taken = []

    def part(first, end):
        taken.append((int(first), int(end)))
        return tf.range(first, end), tf.range(first, end)

    whole, _ = lstm_fused._known_batch(part, rows)
    np.testing.assert_array_equal(whole, np.arange(rows))
    assert len(taken) == {0: 1, 1: 1, 15: 1, 1000: 15, 5000: 16}.get(rows, 1 if rows < 32 else 2)
    sizes = [end - first for first, end in taken]
    assert max(sizes) - min(sizes) <= 1


def operations(layer, x, **call):
    """Names of the operations that a call is made of."""
    graph = tf.function(lambda: layer(x, **call)).get_concrete_function().graph
    return {operation.type for operation in graph.get_operations()}


X = RNG.normal(size=(2, 3, 2)).astype("float32")


def test_the_kernel_is_the_default_and_the_loop_can_be_had():
    assert KERNEL in operations(LSTM(4), X)
    assert KERNEL in operations(LSTM(4, dropout=0.2, peephole=True, recurrent_dropout=0.1), X)
    assert KERNEL not in operations(LSTM(4, implementation="loop"), X)


@pytest.mark.parametrize(
    ("options", "call", "reason"),
    [
        (VARIANTS["no_forget_gate"], {}, "a variant other than peepholes"),
        (VARIANTS["coupled_peephole"], {}, "a variant other than peepholes"),
        (VARIANTS["layer_norm"], {}, "a variant other than peepholes"),
        ({"activation": "relu"}, {}, "activations other than tanh and sigmoid"),
        ({"recurrent_activation": "hard_sigmoid"}, {}, "activations other than"),
        ({"dtype": "float64"}, {}, "dtype float64"),
        ({"dtype": "mixed_bfloat16"}, {}, "dtype bfloat16"),
        ({"unroll": True}, {}, "unroll=True"),
        ({}, {"mask": np.ones((2, 3), bool)}, "a mask"),
        ({"recurrent_dropout": 0.2, "peephole": True}, {"training": True}, "recurrent dropout in training and peep"),
        ({"recurrent_dropout": 0.2}, {"training": True}, "recurrent dropout in training and at most 64 units"),
    ],
)
def test_the_loop_steps_in_and_who_insists_is_told_why(options, call, reason):
    assert KERNEL not in operations(LSTM(4, **options), X, **call)
    with pytest.raises(DefinitionError, match=f"with {reason}.*Write implementation='auto'"):
        LSTM(4, implementation="fused", **options)(X, **call)


def test_xla_takes_the_loop():
    layer = LSTM(4, seed=1)
    compiled = tf.function(layer.__call__, jit_compile=True)
    np.testing.assert_allclose(compiled(X), layer(X), atol=1e-6)
    with pytest.raises(DefinitionError, match="compilation by XLA"):
        tf.function(LSTM(4, implementation="fused").__call__, jit_compile=True)(X)


@pytest.mark.parametrize("go_backwards", [False, True])
def test_whole_numbers_are_read_as_by_the_loop(go_backwards):
    fused, loop = pair(3, (2, 4, 3), go_backwards=go_backwards)
    x = RNG.integers(-3, 4, (2, 4, 3)).astype("int32")
    for layer in (fused, loop):
        layer(x)
    model = keras.Sequential([keras.Input((4, 3), dtype="int32"), fused])
    for said, expected in zip(model.predict(x, verbose=0), loop(x), strict=True):
        np.testing.assert_allclose(said, expected, atol=1e-6)


def test_an_unknown_implementation_is_refused():
    with pytest.raises(DefinitionError, match=r"`implementation` is expected to be one of auto, loop, fused.*'quick'"):
        LSTM(4, implementation="quick")


def test_the_implementation_is_kept_in_the_config():
    assert LSTM.from_config(LSTM(4, implementation="loop").get_config()).implementation == "loop"


def test_a_saved_model_carries_the_kernel_and_takes_any_batch_and_length(tmp_path):
    layers = [LSTM(4, return_sequences=True, seed=1), keras.layers.Bidirectional(LSTM(3, seed=2))]
    model = keras.Sequential([keras.Input((None, 2)), *layers])
    model.export(tmp_path / "model", verbose=False)
    served = tf.saved_model.load(str(tmp_path / "model"))
    body = served.signatures["serving_default"].graph.as_graph_def().library.function
    assert any(node.op == KERNEL for function in body for node in function.node_def)
    for batch, length in ((1, 1), (2, 5), (40, 3)):
        x = RNG.normal(size=(batch, length, 2)).astype("float32")
        np.testing.assert_allclose(served.serve(x), model(x), atol=1e-6)
