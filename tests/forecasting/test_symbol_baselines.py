"""Baselines of symbols against counts made by hand."""

import numpy as np
import pandas as pd
import pytest

from forecaster.errors import ForecasterError
from forecaster.forecasting.ngrams import NGrams
from forecaster.forecasting.symbol_baselines import RULES, SymbolBaseline
from forecaster.series.symbols import symbol_panel


def panel(text):
    cells = [None if letter == "_" else letter for letter in text]
    return symbol_panel(pd.DataFrame({"ds": range(1, len(text) + 1), "y": cells}))


def test_back_off_is_that_of_witten_and_bell():
    grams = NGrams.of([[1, 2, 1, 1]], 2, size=3, novelty=0.0)
    # behind nothing: 1 thrice, 2 once: (3 + 2 · ½) / (4 + 2) and (1 + 2 · ½) / 6; behind 1: one 2, one 1
    assert grams.after(()) == pytest.approx([0, 4 / 6, 2 / 6])
    assert grams.after((1,)) == pytest.approx([0, (1 + 2 * 4 / 6) / 4, (1 + 2 * 2 / 6) / 4])
    assert grams.after((2, 2)) == pytest.approx([0, (1 + 4 / 6) / 2, (2 / 6) / 2])


def test_two_steps_ahead_are_the_square_of_the_transition_matrix():
    grams = NGrams.of([[1, 2, 3, 1, 2, 1, 3, 3, 2, 1]], 2, size=4, novelty=0.05)
    one = np.stack([grams.after((place,)) for place in range(4)])
    assert grams.ahead((1,), 3)[2] == pytest.approx((one @ one @ one)[1])


@pytest.mark.parametrize("rule", RULES)
def test_probabilities_add_up_to_one_everywhere(rule):
    baseline = SymbolBaseline(rule, horizon=3, season=3).fit(panel("abcabcabd_abc"))
    told = baseline.probabilities(panel("abcabca__"))
    assert told.shape == (1, 3, 5)
    assert told.sum(axis=2) == pytest.approx(np.ones((1, 3)))
    assert (told > 0).all()


@pytest.mark.parametrize(
    ("rule", "text", "named"),
    [
        ("most_frequent", "aabacaab", "aaa"),
        ("last", "aaabbbcccbbb", "bbb"),
        ("seasonal", "abcabcabc", "abc"),
        ("bigram", "ababababab", "aba"),
        ("ngram", "aabbaabbaabbaabbaabbaabbaa", "bba"),
    ],
)
def test_the_likeliest_symbol(rule, text, named):
    series = panel(text)
    frame = SymbolBaseline(rule, horizon=3, season=3).fit(series).predict(series)
    assert "".join(frame[rule]) == named


@pytest.mark.parametrize(("rule", "named"), [("bigram", "bca"), ("seasonal", "bca"), ("last", "bbb")])
def test_what_is_missing_before_the_forecast_is_gone_through(rule, named):
    gone = panel("abcabcabcabcab__b").until(15)
    assert gone.lengths.tolist() == [16]
    frame = SymbolBaseline(rule, horizon=3, season=3).fit(gone).predict(gone)
    assert "".join(frame[rule]) == named


def test_the_order_of_the_ngram_is_what_pays():
    assert SymbolBaseline("ngram", 1).fit(panel("aabb" * 20)).order > 2


def test_no_such_rule():
    with pytest.raises(ForecasterError, match="no baseline 'drift' of symbols"):
        SymbolBaseline("drift", 1)
