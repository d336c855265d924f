"""What is recorded step by step is what the layer says; gates against values worked out by hand."""

import keras
import numpy as np
import pytest
from keras import ops

from forecaster.networks.inspection import activations
from forecaster.networks.lstm import LSTM

layers = keras.layers
X = np.random.default_rng(0).normal(size=(3, 7, 2)).astype("float32")


def run(layer, inputs=X):
    """Outputs of a layer that returns sequences, and its trace."""
    model = keras.Sequential([keras.Input(inputs.shape[1:]), layer])
    for weight in model.weights:  # no zero biases
        weight.assign(np.random.default_rng(weight.shape[0]).normal(0, 0.6, weight.shape))
    [trace] = activations(model, inputs)
    return ops.convert_to_numpy(model(inputs)), trace


@pytest.mark.parametrize(
    "layer",
    [
        layers.SimpleRNN(4, return_sequences=True),
        layers.SimpleRNN(4, return_sequences=True, use_bias=False, activation="relu"),
        layers.GRU(4, return_sequences=True),
        layers.GRU(4, return_sequences=True, reset_after=False),
        layers.GRU(4, return_sequences=True, use_bias=False),
        layers.LSTM(4, return_sequences=True),
        layers.LSTM(4, return_sequences=True, use_bias=False, recurrent_activation="hard_sigmoid"),
        LSTM(4, return_sequences=True),
        LSTM(4, return_sequences=True, peephole=True, layer_norm=True),
        LSTM(4, return_sequences=True, coupled=True, peephole=["output"]),
        LSTM(4, return_sequences=True, forget_gate=False),
        layers.LSTM(4, return_sequences=True, go_backwards=True),
        layers.LSTM(4, return_sequences=True, dropout=0.5, recurrent_dropout=0.5),
    ],
    ids=lambda layer: f"{type(layer).__module__.split('.')[0]}-{type(layer).__name__}",
)
def test_the_hidden_state_is_the_layers_output(layer):
    outputs, trace = run(layer)
    assert trace.states["hidden"] == pytest.approx(outputs, abs=1e-5)
    assert (trace.steps, trace.units) == (7, 4)
    for name, gate in trace.gates.items():
        assert gate.shape == (3, 7, 4)
        assert name == "candidate" or (gate.min() >= 0 and gate.max() <= 1)


def test_gates_of_an_lstm_are_those_of_its_equations():
    _, trace = run(layers.LSTM(4))
    c = np.concatenate([np.zeros((3, 1, 4)), trace.states["cell"][:, :-1]], axis=1)
    g = trace.gates
    assert trace.states["cell"] == pytest.approx(g["forget"] * c + g["input"] * g["candidate"], abs=1e-6)
    assert trace.states["hidden"] == pytest.approx(g["output"] * np.tanh(trace.states["cell"]), abs=1e-6)


def test_gates_of_a_gru_of_one_unit_by_hand():
    layer = layers.GRU(1, return_sequences=True)
    model = keras.Sequential([keras.Input((2, 1)), layer])
    layer.set_weights([np.array([[1.0, -1.0, 0.5]]), np.array([[0.5, 1.0, 2.0]]), np.zeros((2, 3))])
    [trace] = activations(model, np.ones((1, 2, 1), "float32"))
    before = 0.0
    for step in range(2):
        update = 1 / (1 + np.exp(-(1.0 + 0.5 * before)))
        reset = 1 / (1 + np.exp(-(-1.0 + 1.0 * before)))
        candidate = np.tanh(0.5 + reset * 2.0 * before)
        before = update * before + (1 - update) * candidate
        said = [trace.gates[name][0, step, 0] for name in ("update", "reset", "candidate")]
        assert said == pytest.approx([update, reset, candidate], rel=1e-5)
        assert trace.states["hidden"][0, step, 0] == pytest.approx(before, rel=1e-5)


def test_stacks_wrappers_nested_models_and_stacked_cells_are_all_found():
    inner = keras.Sequential([layers.GRU(3, return_sequences=True), LSTM(3, return_sequences=True)], name="recurrence")
    cells = layers.RNN([layers.GRUCell(2), layers.LSTMCell(5)])
    inputs = keras.Input((7, 2))
    middle = layers.Bidirectional(layers.SimpleRNN(2, return_sequences=True))(inner(inputs))
    model = keras.Model(inputs, cells(middle))
    traces = activations(model, X)
    assert [trace.layer for trace in traces] == [
        "gru", "lstm", "forward simple rnn", "backward simple rnn", "rnn gru cell", "rnn lstm cell",
    ]  # fmt: skip
    assert [trace.steps for trace in traces] == [7] * 6
    assert [trace.backwards for trace in traces] == [False, False, False, True, False, False]
    assert traces[-1].states["hidden"][:, -1] == pytest.approx(ops.convert_to_numpy(model(X)), abs=1e-5)


@pytest.mark.parametrize("zero", [False, True])
def test_masked_steps_keep_the_state(zero):
    model = keras.Sequential(
        [keras.Input((7, 2)), layers.Masking(9.0), layers.LSTM(3, return_sequences=True, zero_output_for_mask=zero)]
    )
    inputs = X.copy()
    inputs[0, :2] = inputs[1, 3] = inputs[2, 6] = 9.0
    outputs = ops.convert_to_numpy(model(inputs))
    recorded = keras.Sequential(model.layers)
    [trace] = activations(recorded, inputs)
    assert np.array_equal(trace.states["hidden"][1, 3], trace.states["hidden"][1, 2])
    assert ops.convert_to_numpy(recorded(inputs)) == pytest.approx(outputs)
    assert trace.states["hidden"][2, 5] == pytest.approx(trace.states["hidden"][2, 6])


def test_a_decoder_that_steps_has_all_its_steps_in_one_trace():
    class Decoder(layers.Layer):
        def __init__(self):
            super().__init__()
            self.cell = layers.GRUCell(2)

        def call(self, state):
            said = []
            for _ in range(4):
                output, [state] = self.cell(state, [state])
                said.append(output)
            return ops.stack(said, axis=1)

    model = keras.Sequential([keras.Input((7, 2)), layers.GRU(2), Decoder()])
    encoder, decoder = activations(model, X)
    assert (encoder.steps, decoder.steps) == (7, 4)
    assert decoder.states["hidden"] == pytest.approx(ops.convert_to_numpy(model(X)), abs=1e-6)


def test_a_cell_that_is_stepped_past_its_loop_is_recorded_and_trials_are_not():
    """As in networks that carry their state from step to step: Keras' loop tries its first step out."""
    from keras.src.backend import rnn

    class Stepping(keras.Model):
        def __init__(self):
            super().__init__()
            self.lstm = layers.LSTM(3, seed=1)

        def call(self, inputs):
            cell = self.lstm.cell
            start = cell.get_initial_state(ops.shape(inputs)[0])
            last, _, _ = rnn(lambda x, states: cell(x, states), inputs, start)
            paths = ops.repeat(last, 5, axis=0)
            cell(ops.repeat(inputs[:, 0], 5, axis=0), [paths, paths])
            return last

    model = Stepping()
    model.lstm.build(X.shape)
    [trace] = activations(model, X)
    assert trace.steps == 7
    assert trace.states["hidden"][:, -1] == pytest.approx(ops.convert_to_numpy(model.lstm(X)), abs=1e-6)


def test_a_cell_of_a_users_own_shows_its_states():
    class Leaky(layers.Layer):
        state_size = output_size = 2

        def call(self, inputs, states):
            state = 0.5 * states[0] + inputs
            return -state, [state]

    [trace] = activations(keras.Sequential([keras.Input((7, 2)), layers.RNN(Leaky())]), X)
    assert (trace.kind, trace.gates) == ("Leaky", {})
    assert trace.states["hidden"][:, 1] == pytest.approx(0.5 * X[:, 0] + X[:, 1], abs=1e-6)


def test_the_model_is_left_as_it_was_even_after_an_error():
    model = keras.Sequential([keras.Input((7, 2)), layers.LSTM(3), layers.Lambda(lambda state: 1 / 0, (3,))])
    with pytest.raises(ZeroDivisionError):
        activations(model, X)
    assert "call" not in vars(model.layers[0])
    stateful = keras.Sequential([keras.Input(batch_shape=(3, 7, 2)), layers.GRU(2, stateful=True)])
    first, again = (activations(stateful, X)[0].states["hidden"] for _ in range(2))
    assert np.array_equal(first, again)


def test_a_model_without_recurrence_has_no_traces():
    assert activations(keras.Sequential([keras.Input((7, 2)), layers.GlobalAveragePooling1D()]), X) == []


def test_each_sequence_of_a_layer_that_runs_several_times_is_one_of_its_own():
    """Inside of TimeDistributed, two sequences of twelve steps a row: their batches lie one behind the other."""
    inputs = np.random.default_rng(1).normal(size=(3, 2, 12, 2)).astype("float32")
    lstm = layers.LSTM(4, return_sequences=True)
    model = keras.Sequential([keras.Input((2, 12, 2)), layers.TimeDistributed(lstm)])
    [trace] = activations(model, inputs)
    assert (trace.layer, trace.steps, trace.states["cell"].shape) == ("lstm", 12, (6, 12, 4))
    alone = np.concatenate([ops.convert_to_numpy(lstm(inputs[:, place])) for place in range(2)])
    assert trace.states["hidden"] == pytest.approx(alone, abs=1e-6)


def test_a_layer_that_reads_sequences_of_several_lengths_has_a_trace_for_each():
    gru = layers.GRU(3)
    long, short = keras.Input((7, 2)), keras.Input((4, 2))
    model = keras.Model([long, short], [gru(long), gru(short)])
    traces = activations(model, [X, X[:, :4]])
    assert [(trace.layer, trace.steps) for trace in traces] == [("gru, 7 steps", 7), ("gru, 4 steps", 4)]
    for trace, said in zip(traces, model([X, X[:, :4]]), strict=True):
        assert trace.states["hidden"][:, -1] == pytest.approx(ops.convert_to_numpy(said), abs=1e-6)


def test_a_layer_that_goes_on_from_the_states_in_which_it_was_left_reads_one_sequence():
    lstm = layers.LSTM(3, return_state=True)
    inputs = keras.Input((7, 2))
    _, *states = lstm(inputs[:, :4])
    model = keras.Model(inputs, lstm(inputs[:, 4:], initial_state=states)[0])
    [trace] = activations(model, X)
    assert trace.steps == 7
    assert trace.states["hidden"][:, -1] == pytest.approx(ops.convert_to_numpy(lstm(X)[0]), abs=1e-6)


def test_states_with_rows_and_columns_are_shown_as_they_are():
    model = keras.Sequential([keras.Input((4, 6, 6, 1)), layers.ConvLSTM2D(2, 3, return_sequences=True)])
    images = np.random.default_rng(2).normal(size=(3, 4, 6, 6, 1)).astype("float32")
    [trace] = activations(model, images)
    assert (trace.kind, trace.steps, trace.units) == ("ConvLSTMCell", 4, 2)
    assert list(trace.states) == ["hidden", "state 2"]
    assert trace.states["hidden"] == pytest.approx(ops.convert_to_numpy(model(images)), abs=1e-6)
