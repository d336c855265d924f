"""Served forecasts of symbols are judged when what came arrives."""

import pandas as pd
import pytest

from forecaster.series.text import prompt_panel
from forecaster.serving.metrics import Metrics
from forecaster.serving.models import Models
from forecaster.serving.truth import Truth


def test_a_symbol_is_an_error_of_one_where_another_came():
    metrics = Metrics(Models())
    truth = Truth(metrics)
    for length, said in ((2, "saw"), (3, "Spot"), (4, ".")):
        seen = prompt_panel(["Spot", "Doug", "saw", "Jane", "."][:length])
        frame = pd.DataFrame({"unique_id": ["text"], "ds": [length + 1], "cutoff": [length], "net": [said]})
        truth.arrived("book", seen)
        truth.expect("book", seen, frame, "net", [])
    truth.arrived("book", prompt_panel(["Spot", "Doug", "saw", "Jane", "."]))
    assert metrics.turned_out("book") == {"steps": 3, "error": pytest.approx(1 / 3), "naive": 1.0}
