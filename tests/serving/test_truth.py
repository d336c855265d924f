"""Served forecasts are judged when what came arrives: symbols, and large panels by a sample of their series."""

import numpy as np
import pandas as pd
import pytest

from forecaster import NaiveForecaster, naive
from forecaster.series import Columns, panel_from_frame
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


def test_of_a_large_panel_a_sample_of_the_series_is_remembered_whole_for_each_model(monkeypatch):
    """Stamps have a zone, and series end on different days."""
    monkeypatch.setattr("forecaster.serving.truth.REMEMBERED", 42)
    days = pd.date_range("2024-01-01", periods=12, freq="D", tz="Europe/London")
    frames = [pd.DataFrame({"unique_id": f"{one:02d}", "ds": days[one % 3 :], "y": 1.0}) for one in range(20)]
    later = panel_from_frame(pd.concat(frames), Columns("unique_id"))
    seen = later.until(later.last - 4)
    frame = NaiveForecaster(naive, horizon=4).fit(seen).predict(seen, [80])
    metrics = Metrics(Models())
    truth = Truth(metrics)
    for model in ("a", "b"):
        for _ in range(2):
            truth.expect(model, seen, frame, "naive", [80])
    came = {model: [] for model in ("a", "b")}
    for model, found in came.items():
        for place in range(20):
            before = metrics.turned_out(model).get("steps", 0)
            truth.arrived(model, later.select([place]))
            found.append(metrics.turned_out(model).get("steps", 0) - before)
    assert came["a"] == came["b"]
    assert sorted(came["a"]) == [0] * 10 + [4] * 10
    assert 2 <= np.count_nonzero(came["a"][:10]) <= 8
