"""Scores of symbols against figures computed by hand."""

import numpy as np
import pandas as pd
import pytest

from forecaster.evaluation.backtest import join
from forecaster.evaluation.symbols import roll_symbols, symbol_leaderboard, symbol_scores
from forecaster.forecasting.symbol_baselines import SymbolBaseline
from forecaster.series import Columns, cutoffs
from forecaster.series.symbols import symbol_panel


class Told:
    """Says the same whatever came."""

    def __init__(self, name, chances, horizon=1):
        self.name, self.horizon, self.chances = name, horizon, chances
        self.vocabulary = ("<unknown>", "a", "b")

    def fit(self, panel):
        return self

    def probabilities(self, panel):
        return np.tile(np.array(self.chances), (len(panel), self.horizon, 1))


def panel(text):
    cells = [None if letter == "_" else letter for letter in text]
    return symbol_panel(pd.DataFrame({"ds": range(len(text)), "y": cells}))


def test_what_came_gets_its_probability_and_the_unknown_that_of_the_unknown():
    frame = roll_symbols(Told("told", [0.1, 0.6, 0.3]), panel("abab_c"), np.arange(5)[:, None])
    assert frame["y"].tolist() == ["b", "a", "b", None, "c"]
    assert frame["told-y-p"].tolist() == pytest.approx([0.3, 0.6, 0.3, np.nan, 0.1], nan_ok=True)
    assert set(frame["told"]) == {"a"}
    scores = symbol_scores(frame, "told")
    assert scores["log_loss"] == pytest.approx(-np.log([0.3, 0.6, 0.3, 0.1]).mean())
    assert scores["accuracy"] == 0.25
    assert scores["top_3"] == 0.75
    assert scores["perplexity"] == pytest.approx((0.3 * 0.6 * 0.3 * 0.1) ** -0.25)
    assert scores["bits"] == pytest.approx(scores["log_loss"] / np.log(2))


def test_series_with_clocks_of_their_own_come_in_the_same_order_however_they_are_gone_through():
    words = {"first": "abcabcabca", "long": "abcacbabcabcbbaabc", "short": "bcab"}
    table = [(name, step, letter) for name, text in words.items() for step, letter in enumerate(text)]
    visits = symbol_panel(pd.DataFrame(table, columns=["who", "ds", "y"]), Columns(id="who"))
    origins = cutoffs(visits, 1, 5, 1)
    streamed, again = (SymbolBaseline("bigram", 1).fit(visits.until(origins[0])) for _ in range(2))
    again.streams = lambda panel: False
    assert not visits.shared_clock
    pd.testing.assert_frame_equal(roll_symbols(streamed, visits, origins), roll_symbols(again, visits, origins))
    # a baseline that is never streamed stands beside those that are
    seasonal = SymbolBaseline("seasonal", 1, 3).fit(visits.until(origins[0]))
    join([roll_symbols(model, visits, origins) for model in (streamed, seasonal)])


def test_what_a_network_went_through_on_its_own_symbols_is_said_once(caplog):
    network = Told("net", [0.1, 0.6, 0.3])
    network.stepwise = True
    roll_symbols(network, panel("a_abab__a_b"), np.arange(10)[:, None])
    assert caplog.text.count("up to 2 steps in a row before a cutoff not observed (series 'y', last seen at 5;") == 1
    assert "such a gap: 4 of 10); it goes through them on what it held to be the likeliest" in caplog.text


def test_skill_is_against_the_best_ngram():
    series, origins = panel("ab" * 8), np.arange(4, 14)[:, None]
    models = [Told("most_frequent", [0, 0.5, 0.5]), Told("bigram", [0, 0.8, 0.2]), Told("net", [0, 0.45, 0.55])]
    frames = [roll_symbols(model, series, origins) for model in models]
    joined = pd.concat([frames[0], *(frame.drop(columns=["unique_id", "ds", "cutoff", "y"]) for frame in frames[1:])],
                       axis=1)  # fmt: skip
    table = symbol_leaderboard(joined, ["most_frequent", "bigram"], ["net"]).set_index("model")
    gram, net = -np.log([0.8, 0.2]).mean(), -np.log([0.45, 0.55]).mean()
    assert table.loc["net", "skill"] == pytest.approx(1 - net / gram)
    assert table.loc["bigram", "kind"] == "naive"
    assert not table.loc["net", "significant"]
