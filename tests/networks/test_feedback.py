"""Decoders that read their own medians, against loops in NumPy."""

import keras
import numpy as np
import pytest

from forecaster.networks.feedback import Decoder, FeedForwardCell
from forecaster.networks.lstm_cell import LSTMCell
from forecaster.networks.unrolled import Teacher

NAN = float("nan")
GENERATOR = np.random.default_rng(5)
BASE = GENERATOR.normal(size=(2, 4)).astype(np.float32)
START = GENERATOR.normal(size=(2, 1)).astype(np.float32)
COMING = GENERATOR.normal(size=(2, 4, 2)).astype(np.float32)


def random_weights(layer):
    layer.set_weights([GENERATOR.normal(0, 0.7, weight.shape) for weight in layer.get_weights()])


def in_numpy(decoder, cell, start_state, taught):
    """The equations of `FeedbackCell`, written out; `cell` maps inputs and state to output and state."""
    bias, out = decoder.bias.numpy(), decoder.loop.cell.out.kernel.numpy()
    own, before, state, said = START, START, start_state, []
    for step in range(4):
        value = own
        if step:
            value = np.where(np.isfinite(taught[:, step - 1 : step]), taught[:, step - 1 : step], own)
        base = BASE[:, step : step + 1]
        hidden, state = cell(np.concatenate([value, value - before, base, COMING[:, step]], axis=1), state)
        free = hidden @ out + bias[step]
        own, before = base + free[:, 1:2], base
        said.append(free)
    return np.stack(said, axis=1)


@pytest.mark.parametrize("taught", [np.full((2, 4), NAN), np.array([[9, NAN, 9, NAN], [NAN, -9, NAN, NAN]])])
def test_a_step_reads_the_median_before_it_or_the_true_value_where_there_is_one(taught):
    decoder = Decoder([FeedForwardCell(3, seed=1)], quantiles=3)
    taught = taught.astype(np.float32)
    decoder(BASE, START, taught=taught, coming=COMING)
    random_weights(decoder)
    kernel, bias = decoder.loop.cell.cells[0].get_weights()
    wanted = in_numpy(decoder, lambda x, state: (np.tanh(x @ kernel + bias), state), None, taught)
    assert np.allclose(decoder(BASE, START, taught=taught, coming=COMING), wanted, atol=1e-5)


def test_recurrent_cells_go_on_from_the_states_that_they_are_given():
    """The states of two stacked cells are told apart, and kept from step to step."""
    first, second = keras.layers.SimpleRNNCell(3), keras.layers.SimpleRNNCell(2)
    decoder = Decoder([first, second], quantiles=3)
    states = [GENERATOR.normal(size=(2, width)).astype(np.float32) for width in (3, 2)]
    decoder(BASE, START, states=states, coming=COMING)
    random_weights(decoder)
    weights = [cell.get_weights() for cell in (first, second)]

    def stacked(x, state):
        new = []
        for (kernel, recurrent, bias), h in zip(weights, state, strict=True):
            x = np.tanh(x @ kernel + h @ recurrent + bias)
            new.append(x)
        return x, new

    wanted = in_numpy(decoder, stacked, states, np.full((2, 4), NAN))
    assert np.allclose(decoder(BASE, START, states=states, coming=COMING), wanted, atol=1e-5)


def test_a_true_value_reaches_the_steps_behind_it_only():
    decoder = Decoder([keras.layers.GRUCell(3)], quantiles=3)
    states, taught = [np.zeros((2, 3), np.float32)], np.full((2, 4), NAN, np.float32)
    decoder(BASE, START, states=states)
    random_weights(decoder)
    free = np.asarray(decoder(BASE, START, taught=taught, states=states))
    taught[:, 1] = 5
    changed = np.asarray(decoder(BASE, START, taught=taught, states=states))
    assert np.array_equal(free[:, :2], changed[:, :2])
    assert (np.abs(free[:, 2:] - changed[:, 2:]).max(axis=2) > 1e-4).all()


@pytest.mark.parametrize(
    ("schedule", "chances"),
    [
        ("none", [0.8, 0.8, 0.8]),
        ("linear", [0.8, 0.4, 0.0]),
        ("exponential", [0.8, 0.8 * np.exp(-2.3), 0.8 * np.exp(-4.6)]),
        ("inverse_sigmoid", [0.8 / (1 + np.exp(-6)), 0.4, 0.8 / (1 + np.exp(6))]),
    ],
)
def test_the_chance_of_reading_the_true_value_falls_over_the_fit(schedule, chances):
    teacher = Teacher(0.8, schedule, 100, seed=3)
    assert [teacher.chance(step) for step in (0, 50, 100)] == pytest.approx(chances)


def test_what_is_taught_depends_on_seed_and_step_alone_and_nothing_is_in_forecasting():
    target = np.arange(4000.0, dtype=np.float32).reshape(50, 80)
    teacher = Teacher(0.5, "none", 10, seed=3)
    shown = teacher.taught(target, 4)
    assert np.isfinite(shown).mean() == pytest.approx(0.5, abs=0.05)
    assert np.array_equal(shown[np.isfinite(shown)], target[np.isfinite(shown)])
    assert np.array_equal(shown, Teacher(0.5, "none", 10, seed=3).taught(target, 4), equal_nan=True)
    assert not np.array_equal(shown, teacher.taught(target, 5), equal_nan=True)
    assert np.isnan(teacher.taught(target, None)).all()


def test_recurrent_dropout_drops_of_the_hidden_state_in_training_only():
    """Where nearly all of it is dropped, training says what a network without recurrent weights says."""
    states = [GENERATOR.normal(size=(2, 3)).astype(np.float32) for _ in range(2)]
    given = {"states": states, "coming": COMING}
    plain, dropped = (
        Decoder([LSTMCell(3, recurrent_dropout=rate, seed=1)], quantiles=3) for rate in (0.0, 1 - 1e-6)
    )  # fmt: skip
    for decoder in (plain, dropped):
        decoder(BASE, START, **given)
    random_weights(plain)
    for ours, theirs in zip(dropped.trainable_variables, plain.trainable_variables, strict=True):
        ours.assign(theirs)
    assert np.allclose(dropped(BASE, START, **given), plain(BASE, START, **given))
    plain.loop.cell.cells[0].recurrent_kernel.assign(np.zeros((3, 12)))
    forgetful = dropped(BASE, START, training=True, **given)
    assert np.allclose(forgetful, plain(BASE, START, **given), atol=1e-5)
    assert not np.allclose(forgetful, dropped(BASE, START, **given), atol=1e-3)
