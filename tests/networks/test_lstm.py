"""The layer's manners: whatever a Keras model does with keras.layers.LSTM, it can do with this one."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from forecaster.networks.lstm import LSTM
from forecaster.networks.lstm_cell import LSTMCell
from tests.networks.test_lstm_reference import VARIANTS, randomise

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 6, 2)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 0, 1], [0, 0, 0, 0, 0, 0]], bool)
STATE = [RNG.normal(size=(3, 4)).astype("float32") for _ in range(2)]


def pair(units=4, **options):
    """Our layer and Keras' with the same weights."""
    ours, theirs = LSTM(units, **options), keras.layers.LSTM(units, **options)
    ours.build(X.shape)
    theirs.build(X.shape)
    randomise(theirs)
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def assert_same(ours, theirs, atol=1e-5):
    ours, theirs = tf.nest.flatten(ours), tf.nest.flatten(theirs)
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs, strict=True):
        assert our.dtype == their.dtype
        np.testing.assert_allclose(our, their, atol=atol)


@pytest.mark.parametrize("initial_state", [None, STATE], ids=["zeros", "given"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"return_sequences": True},
        {"return_sequences": True, "go_backwards": True},
        {"return_sequences": True, "unroll": True},
        {"go_backwards": True, "unroll": True},
        {"return_sequences": True, "zero_output_for_mask": True},
    ],
    ids="-".join,
)
def test_masks_are_those_of_keras(options, initial_state):
    ours, theirs = pair(return_state=True, **options)
    assert_same(ours(X, mask=MASK, initial_state=initial_state), theirs(X, mask=MASK, initial_state=initial_state))


def test_a_masked_step_keeps_the_state_and_repeats_the_output():
    layer = LSTM(4, return_sequences=True, return_state=True, seed=1)
    outputs, h, c = (np.asarray(array) for array in layer(X, mask=MASK))
    np.testing.assert_array_equal(outputs[0, 4:], outputs[0, [3, 3]])
    assert not outputs[1, :2].any()
    _, h_short, c_short = (np.asarray(array) for array in layer(X[:1, :4]))
    np.testing.assert_allclose([h[:1], c[:1]], [h_short, c_short], atol=1e-6)
    assert not h[2].any()
    assert not c[2].any()


def test_a_mask_comes_from_the_layer_before_and_goes_on_to_the_next():
    words = np.array([[3, 1, 0, 0], [2, 2, 1, 0]])
    embedding = keras.layers.Embedding(4, 2, mask_zero=True)
    two = [LSTM(4, return_sequences=True, seed=1), LSTM(3, seed=2)]
    model = keras.Sequential([embedding, *two])
    short = model(words[:1])
    np.testing.assert_allclose(short, two[1](two[0](embedding(words[:1, :2]))), atol=1e-6)


def test_encoder_and_decoder_in_a_functional_model():
    past, future = keras.Input((None, 2)), keras.Input((None, 1))
    _, *state = LSTM(4, return_state=True, seed=1)(past)
    decoded = LSTM(4, return_sequences=True, peephole=True, seed=2)(future, initial_state=state)
    model = keras.Model([past, future], decoded)
    assert model.output_shape == (None, None, 4)
    ones = np.ones((3, 5, 1), "float32")
    assert not np.allclose(model([X, ones]), model([X * 2, ones]))


@pytest.mark.parametrize("merge_mode", ["concat", "sum", None])
@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "masked"])
def test_bidirectional_equals_that_of_keras(merge_mode, mask):
    wrapped = [
        keras.layers.Bidirectional(layer(4, return_sequences=True), merge_mode=merge_mode)
        for layer in (LSTM, keras.layers.LSTM)
    ]
    for layer in wrapped:
        layer.build(X.shape)
        randomise(layer)
    assert_same(*(layer(X, mask=mask) for layer in wrapped))


def test_time_distributed():
    layer = LSTM(4, seed=1)
    days = RNG.normal(size=(2, 3, 6, 2)).astype("float32")
    apart = np.stack([layer(days[:, day]) for day in range(3)], axis=1)
    np.testing.assert_allclose(keras.layers.TimeDistributed(layer)(days), apart, atol=1e-6)


@pytest.mark.parametrize("name", ["plain", "layer_norm_coupled_peephole"])
def test_stateful_layers_go_on_where_they_ended(name):
    stateful = LSTM(4, stateful=True, return_sequences=True, **VARIANTS[name])
    stateful.build(X.shape)
    randomise(stateful)
    whole = LSTM(4, return_sequences=True, **VARIANTS[name])
    whole.build(X.shape)
    whole.set_weights(stateful.get_weights())
    halves = [np.asarray(stateful(X[:, :2])), np.asarray(stateful(X[:, 2:]))]
    np.testing.assert_allclose(np.concatenate(halves, axis=1), whole(X), atol=1e-6)
    stateful.reset_state()
    np.testing.assert_allclose(stateful(X[:, :2]), halves[0], atol=1e-6)


def test_a_stateful_layer_needs_a_batch_size_and_keeps_to_it():
    with pytest.raises(ValueError, match="batch size must be static"):
        keras.Sequential([keras.Input((None, 2)), LSTM(4, stateful=True)])
    layer = LSTM(4, stateful=True)
    layer(X)
    with pytest.raises(ValueError, match="batch size"):
        layer(X[:2])


@pytest.mark.parametrize("name", VARIANTS)
def test_unrolled_equals_looped(name):
    looped, unrolled = (LSTM(4, unroll=unroll, seed=1, **VARIANTS[name]) for unroll in (False, True))
    np.testing.assert_allclose(looped(X, mask=MASK), unrolled(X, mask=MASK), atol=1e-6)


@pytest.mark.parametrize("name", ["plain", "layer_norm_coupled_peephole"])
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_computes_in_half_and_keeps_weights_in_single(name, policy):
    options = {"return_state": True, "seed": 1, **VARIANTS[name]}
    layer = LSTM(4, dtype=policy, dropout=0.1, recurrent_dropout=0.1, **options)
    results = layer(X, mask=MASK)
    assert {result.dtype.name for result in results} == {policy.removeprefix("mixed_")}
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    single = LSTM(4, **options)
    for half, full in zip(results, single(X, mask=MASK), strict=True):
        np.testing.assert_allclose(tf.cast(half, "float32"), full, atol=0.05)
    assert layer(X, training=True)[0].dtype.name == policy.removeprefix("mixed_")


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (None, 4)),
        ({"return_sequences": True}, (None, None, 4)),
        ({"return_state": True}, ((None, 4), (None, 4), (None, 4))),
        ({"return_sequences": True, "return_state": True}, ((None, None, 4), (None, 4), (None, 4))),
    ],
)
def test_compute_output_shape(options, shape):
    assert LSTM(4, **options).compute_output_shape((None, None, 2)) == shape


def test_only_sequences_are_read():
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        LSTM(4)(X[:, 0])


def test_an_unknown_option_is_refused():
    with pytest.raises(ValueError, match="peepholes"):
        LSTM(4, peepholes=True)


def test_its_config_makes_it_again():
    options = {"return_sequences": True, "go_backwards": True, "peephole": True, "dropout": 0.2, "seed": 3}
    layer = LSTM(4, dtype="mixed_float16", name="a", **options)
    config = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(config)
    assert config["registered_name"] == "forecaster>LSTM"
    assert keras.saving.serialize_keras_object(again) == config
    assert again.units == 4
    assert again.cell.peephole == ("input", "forget", "output")
    assert again.cell.compute_dtype == "float16"
    for ours, theirs in zip(*(one.get_weights() for one in map(built, (layer, again))), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def built(layer):
    layer.build(X.shape)
    return layer


def test_weights_and_trainability_reach_the_cell():
    layer = built(LSTM(4, trainable=False))
    assert not layer.trainable_weights
    assert [weight.name for weight in layer.weights] == ["kernel", "recurrent_kernel", "bias"]


@pytest.mark.parametrize("name", VARIANTS)
def test_a_model_file_holds_all_of_it(name, tmp_path):
    lstm = LSTM(4, recurrent_dropout=0.2, seed=1, **VARIANTS[name])
    model = keras.Sequential([keras.Input((6, 2)), lstm, keras.layers.Dense(1)])
    randomise(lstm)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(again(X), model(X))
    np.testing.assert_array_equal(again(X, training=True), model(X, training=True))


def test_cells_in_a_model_file(tmp_path):
    cells = [LSTMCell(4, layer_norm=True, dropout=0.2), LSTMCell(3)]
    model = keras.Sequential([keras.Input((None, 2)), keras.layers.RNN(cells)])
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "model.keras")(X), model(X))


@pytest.mark.parametrize("name", ["plain", "layer_norm_coupled_peephole"])
def test_a_saved_model_takes_any_batch_and_length(name, tmp_path):
    lstm = LSTM(4, dropout=0.1, recurrent_dropout=0.2, **VARIANTS[name])
    model = keras.Sequential([keras.Input((None, 2)), keras.layers.Masking(9.0), lstm])
    randomise(lstm)
    model.export(tmp_path / "model", verbose=False)
    served = tf.saved_model.load(str(tmp_path / "model"))
    for batch, length in ((1, 1), (3, 6), (2, 4)):
        part = X[:batch, :length].copy()
        part[0, -1] = 9.0
        np.testing.assert_allclose(served.serve(part), model(part), atol=1e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_it_learns_at_any_length(jit_compile):
    lstm = LSTM(8, recurrent_dropout=0.1, seed=1)
    model = keras.Sequential([keras.Input((None, 2)), lstm, keras.layers.Dense(1, kernel_initializer="ones")])
    x = np.random.default_rng(1).normal(size=(64, 5, 2)).astype("float32")
    y = x[:, -3, :1] * x[:, -1, 1:]  # needs memory
    model.compile(keras.optimizers.Adam(0.03), "mse", jit_compile=jit_compile)
    losses = model.fit(x, y, epochs=40, batch_size=64, verbose=0, shuffle=False).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    assert model.predict(x[:, :3], verbose=0).shape == (64, 1)
