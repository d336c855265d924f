"""What the bars of a page of symbols are made from, where not all is known."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from forecaster.errors import DataError
from forecaster.forecasting.symbol_frame import symbol_frame
from forecaster.series.symbols import symbol_panel
from forecaster.serving.dashboard.symbol_outlook import symbol_outlook

VOCABULARY = ("<unknown>", "a", "b")
CHANCES = (0.1, 0.6, 0.3)


class Told:
    """Says the same of every step; where it has an end, of steps up to there only."""

    def __init__(self, end=None):
        self.end = end

    def predict(self, loaded, name, panel, levels, start, top):
        if self.end is not None and panel.last[0] >= self.end:
            raise DataError("the known covariates do not reach over the horizon")
        return symbol_frame(panel, loaded.version.manifest.model, np.array([[CHANCES]]), VOCABULARY, start, top)


def shown(text, forecasts):
    manifest = SimpleNamespace(vocabulary=VOCABULARY, horizon=1, lookback=2, training={}, model="net")
    loaded = SimpleNamespace(version=SimpleNamespace(manifest=manifest))
    return symbol_outlook(
        forecasts, loaded, "letters", symbol_panel(pd.DataFrame({"ds": range(len(text)), "y": [*text]}))
    )


def test_a_symbol_that_the_model_does_not_know_was_given_what_unknown_ones_were():
    told = shown("abac", Told())
    assert [(row["came"], row["given"], row["unknown"]) for row in told["past"]] == [
        ("a", 0.6, False),
        ("c", 0.1, True),
    ]
    assert told["tally"] == {"steps": 2, "hits": 1, "log_loss": pytest.approx(-np.log([0.6, 0.1]).mean())}


def test_where_nothing_is_known_of_the_next_step_the_earlier_ones_are_shown():
    told = shown("abab", Told(end=3))
    assert told["next"] == [] and "do not reach" in told["why"]
    assert len(told["past"]) == 2 and told["tally"]["steps"] == 2
    with pytest.raises(DataError, match="do not reach"):
        shown("abab", Told(end=0))
