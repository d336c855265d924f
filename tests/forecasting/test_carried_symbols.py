"""A text that is gone through with a carried state: what is said at a step is what a forecast from there says."""

import numpy as np
import pytest

from forecaster.config import ModelDefinition
from forecaster.evaluation.symbols import roll_symbols
from forecaster.forecasting.symbol_baselines import SymbolBaseline
from forecaster.forecasting.symbols import SymbolForecaster, step_by_step
from forecaster.series.text import text_panel

WORDS = np.random.default_rng(4).choice(["to be ", "or ", "not "], 150)
TEXT = "".join(WORDS)[:600]
SMALL = {"units": 6, "batch_size": 4, "steps": 12, "evaluate_every": 6, "learning_rate": 0.05}


@pytest.fixture(scope="module")
def fitted():
    definition = step_by_step(ModelDefinition(network="gru", name="gru", **SMALL), text=True)
    return SymbolForecaster(definition, 1, lookback=10, validation=60, step=1, season=1).fit(text_panel(TEXT[:500]))


def one_by_one(forecaster, panel, places):
    return np.concatenate([forecaster.probabilities(panel.until(int(panel.first[0]) + place)) for place in places])


def test_the_state_is_carried_unless_the_file_says_something_else():
    assert step_by_step(ModelDefinition(network="lstm", name="a"), text=True).carry_state
    assert not step_by_step(ModelDefinition(network="lstm", name="a", carry_state=False), text=True).carry_state
    assert not step_by_step(ModelDefinition(network="lstm", name="a")).carry_state
    assert not step_by_step(
        ModelDefinition(network="feed_forward", strategy="recursive", name="a"), text=True
    ).carry_state


def test_going_through_a_text_says_what_forecasts_from_each_place_say(fitted, monkeypatch):
    panel, places = text_panel(TEXT), np.arange(497, 560)
    assert fitted.streams(panel)
    through = np.concatenate([*fitted.following(panel, 0, 497, 560)])
    single = one_by_one(fitted, panel, places[::20])[:, 0]
    assert through[::20] == pytest.approx(single, abs=1e-5)
    monkeypatch.setattr("forecaster.forecasting.symbol_inputs.REMEMBERED", 20)  # pieces of 20, begun 20 before
    pieces = np.concatenate([*fitted.following(panel, 0, 497, 560)])
    assert pieces.shape == through.shape
    assert pieces == pytest.approx(through, abs=0.05)


def test_nothing_behind_a_step_has_a_say(fitted):
    changed = TEXT[:530] + TEXT[530:][::-1]
    frames = [roll_symbols(fitted, text_panel(text), np.arange(500, 590)[:, None]) for text in (TEXT, changed)]
    before = frames[0]["cutoff"] < 531
    columns = ["gru", "gru-p", "gru-2-p"]
    assert frames[0].loc[before, columns].equals(frames[1].loc[before, columns])
    assert not frames[0].loc[~before, columns].equals(frames[1].loc[~before, columns])


@pytest.mark.parametrize("rule", ["most_frequent", "last", "bigram", "ngram"])
def test_baselines_go_through_a_text_as_from_each_place(rule):
    panel = text_panel(TEXT)
    baseline = SymbolBaseline(rule, 1).fit(text_panel(TEXT[:500]))
    through = np.concatenate([*baseline.following(panel, 0, 499, 540)])
    assert through == pytest.approx(one_by_one(baseline, panel, np.arange(499, 540))[:, 0])
