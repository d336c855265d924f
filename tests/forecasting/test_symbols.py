"""Networks of symbols: what they learn, what they say behind a gap, and what their export says."""

import numpy as np
import pandas as pd
import pytest

from forecaster.config import ModelDefinition
from forecaster.errors import DataError, DefinitionError
from forecaster.forecasting.symbols import SymbolForecaster, step_by_step
from forecaster.forecasting.training import Control
from forecaster.series import Columns
from forecaster.series.symbols import symbol_panel

DISHES = ("pizza", "sushi", "waffles")
LATE = np.random.default_rng(5).random(260) < 0.25
TURN = np.cumsum(~LATE) % 3
DINNERS = np.where(LATE, "leftovers", np.array(DISHES)[TURN])
"""Dishes come in turn; who comes home late eats leftovers, and the turn waits."""


def table(dinners, late=LATE):
    return pd.DataFrame({"ds": range(1, len(dinners) + 1), "y": dinners, "late": late[: len(dinners)].astype(float)})


def panel(dinners):
    return symbol_panel(table(dinners), Columns(known=["late"]))


def network(name, **keys):
    keys = {"units": 16, "steps": 120, "learning_rate": 0.02, "batch_size": 32, "evaluate_every": 60, **keys}
    return ModelDefinition(network=name, name=name, **keys)


@pytest.fixture(scope="module")
def told():
    """The progress of the fit below."""
    return []


@pytest.fixture(scope="module")
def fitted(told):
    control = Control(report=told.append)
    forecaster = SymbolForecaster(network("lstm"), 1, lookback=20, season=1, validation=30, seed=3, control=control)
    return forecaster.fit(panel(DINNERS[:220]))


def test_a_network_of_symbols_is_finished_by_a_third_of_the_steps_that_led_to_its_best(fitted, told):
    """Sequences are all learnt from already; of windows it is two thirds, see test_finishing."""
    best = fitted.curve["step"][fitted.curve["validation"].idxmin()]
    assert best == 120 and [one.steps for one in told if one.finishing and one.done] == [40]


def test_the_turn_is_learnt_and_gone_through_where_nothing_was_written_down(fitted):
    right = 0
    for day in range(222, 258):
        dinners = DINNERS[: day + 1].astype(object)
        dinners[day - 14 : day] = None
        cut = panel(dinners).until(day - 1)  # the dinners of two weeks before this day are missing
        assert cut.lengths[0] == day
        right += fitted.predict(cut)["lstm"].iloc[0] == DINNERS[day]
    assert right >= 32  # of 36


def test_a_network_without_memory_cannot_know_whose_turn_it_is(fitted):
    memoryless = SymbolForecaster(
        network("feed_forward", strategy="recursive", steps=60), 1, lookback=20, season=1, validation=30, seed=3
    ).fit(panel(DINNERS[:220]))
    behind_leftovers = [day for day in range(221, 259) if LATE[day - 1] and not LATE[day]]
    right = {"lstm": 0, "feed_forward": 0}
    for day in behind_leftovers:
        for one in (fitted, memoryless):
            right[one.name] += one.predict(panel(DINNERS[: day + 1]).until(day - 1))[one.name].iloc[0] == DINNERS[day]
    assert right["lstm"] == len(behind_leftovers)
    assert right["feed_forward"] < 0.8 * len(behind_leftovers)


def test_probabilities_add_up_and_an_unknown_dinner_is_the_unknown_symbol(fitted):
    strange = DINNERS[:230].astype(object)
    strange[225] = "fondue"
    told = fitted.probabilities(panel(strange).until(228))
    assert fitted.vocabulary == ("<unknown>", "leftovers", *DISHES)
    assert told.shape == (1, 1, 5)
    assert told.sum() == pytest.approx(1)
    assert 0 < told[0, 0, 0] < 0.01


def test_nothing_behind_the_cutoff_has_a_say(fitted):
    changed = DINNERS[:240].copy()
    changed[231:] = "pizza"
    before, after = (fitted.probabilities(panel(one).until(230)) for one in (DINNERS[:240], changed))
    assert np.array_equal(before, after)


def test_a_start_behind_the_end_goes_through_what_is_between(fitted):
    dinners = DINNERS[:230].astype(object)
    dinners[220:] = None
    frame = fitted.predict(panel(dinners), start=225)
    assert frame[["ds", "cutoff"]].to_numpy().tolist() == [[225, 220]]
    assert frame["lstm"].tolist() == [DINNERS[224]]


def test_the_export_takes_strings_and_says_the_same(fitted, tmp_path):
    import tensorflow as tf

    fitted.export(tmp_path / "served", tmp_path)
    serve = tf.saved_model.load(str(tmp_path / "served")).signatures["serving_default"]
    past = np.array([[*DINNERS[201:219], "", "fondue"]], dtype=object)
    late = LATE[201:221].astype(np.float32)[None, :, None]
    assert past.shape == (1, 20)
    said = serve(
        past=tf.constant(past), past_known=tf.constant(late), known=tf.constant(LATE[221:222, None][None], tf.float32),
        seed=tf.constant([3]),
    )  # fmt: skip
    own = DINNERS[:222].astype(object)
    own[219], own[220] = None, "fondue"
    told = fitted.probabilities(panel(own).until(220))
    assert np.asarray(said["probabilities"]) == pytest.approx(told, abs=1e-6)
    likeliest = fitted.vocabulary[int(told[0, 0].argmax())]
    assert said["symbols"].numpy()[0, 0, 0].decode() == likeliest


def test_several_steps_ahead_are_the_mean_over_paths():
    coin = np.random.default_rng(1).choice(list("ab"), 120, p=[0.7, 0.3])
    series = symbol_panel(pd.DataFrame({"ds": range(120), "y": coin}))
    forecaster = SymbolForecaster(
        network("simple_rnn", strategy="recursive", steps=20, samples=50), 4, lookback=10, season=1, validation=5
    )
    told = forecaster.fit(series).probabilities(series)
    assert told.shape == (1, 4, 3)
    assert told.sum(axis=2) == pytest.approx(np.ones((1, 4)), abs=1e-5)
    assert np.abs(told[0, :, 1] - 0.7).max() < 0.2
    assert np.array_equal(told, forecaster.probabilities(series))


def test_what_cannot_be_learnt_or_built_is_refused():
    one = symbol_panel(pd.DataFrame({"ds": range(60), "y": ["a"] * 50 + ["b"] * 10}))
    with pytest.raises(DataError, match="holds only 'a'"):
        SymbolForecaster(network("lstm"), 1, lookback=5, validation=5).fit(one.until(50))
    with pytest.raises(DefinitionError, match="cannot forecast symbols"):
        step_by_step(network("lstm", strategy="seq2seq"))
    with pytest.raises(DefinitionError, match="lstm is an ensemble of 3 networks"):
        step_by_step(network("lstm", ensemble=3))
