"""Classical rivals: in a Python of their own, under the protocol; without it, a message that says what to do."""

import os
import stat
import sys

import numpy as np
import pytest

from forecaster.errors import ForecasterError
from forecaster.evaluation import roll
from forecaster.forecasting.baselines import NaiveForecaster, seasonal_naive
from forecaster.forecasting.rivals import ClassicalForecaster, _gapless, rivals_python
from forecaster.series import cutoffs
from tests.synthetic import seasonal_panel

FAKE = """
import json, sys
sys.modules["statsforecast"] = type(sys)("statsforecast"); sys.modules["statsforecast"].__version__ = "0"
sys.modules["statsforecast.models"] = sys.modules["statsforecast"].models = type(sys)("models")
class Last:
    def __init__(self, season_length): self.season = season_length
    def fit(self, y):
        if y[0] > 15: raise ValueError("too large")
        return self
    def forward(self, y, h, level):
        import numpy as np
        said = {"mean": np.full(h, y[-1])}
        for one in level or []:
            said[f"lo-{one}"], said[f"hi-{one}"] = said["mean"] - one, said["mean"] + one
        return said
sys.modules["statsforecast"].models.AutoTheta = Last
exec(compile(open(sys.argv[-1]).read(), sys.argv[-1], "exec"), {"__name__": "__main__"})
"""


def a_python(folder, program):
    """A program that runs Python code as the interpreter of another environment would run the worker."""
    (folder / "program.py").write_text(program, encoding="utf-8")
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {folder / "program.py"} "$@"\n', encoding="utf-8")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    return str(python)


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A Python whose statsforecast repeats the last value and fails on large ones."""
    monkeypatch.setenv("FORECASTER_RIVALS_PYTHON", a_python(tmp_path, FAKE))


def test_it_answers_under_the_protocol_and_leaves_out_what_it_failed_on(stand_in):
    panel = seasonal_panel(series=2)
    said = ClassicalForecaster("theta", 3, season=12, levels=[80]).fit(panel).predict(panel)
    one, two = (said[said["unique_id"] == name] for name in panel.ids)
    last = panel.history(0)[-1]
    assert one[["theta", "theta-lo-80", "theta-hi-80"]].to_numpy() == pytest.approx(
        np.array([[last, last - 80, last + 80]] * 3), rel=1e-6
    )
    assert two["theta"].isna().all() and len(two) == 3


def test_it_sees_nothing_behind_a_cutoff(stand_in):
    panel = seasonal_panel()
    origins = cutoffs(panel, 3, 4, 3)
    frame = roll(ClassicalForecaster("theta", 3).fit(panel.until(origins[0])), panel, origins, levels=[])
    expected = [panel.history(0)[origin[0] - panel.first[0]] for origin in origins]
    assert frame["theta"].to_numpy()[::3] == pytest.approx(expected)


def test_gaps_are_filled_in_a_line_and_the_end_is_the_cutoff():
    history = np.array([np.nan, 1.0, np.nan, 3.0, np.nan])
    assert _gapless(history, None) == [1.0, 2.0, 3.0, 3.0]
    assert _gapless(history, 2) == [3.0, 3.0]


@pytest.mark.parametrize(
    ("program", "words"),
    [("raise SystemExit(3)", "has no statsforecast .* 3.*install statsforecast"), (None, "there is no such program")],
)
def test_a_python_that_will_not_do_is_named_with_a_remedy(program, words, tmp_path, monkeypatch):
    monkeypatch.setenv("FORECASTER_RIVALS_PYTHON", a_python(tmp_path, program) if program else str(tmp_path / "none"))
    with pytest.raises(ForecasterError, match=words):
        ClassicalForecaster("theta", 3).fit(seasonal_panel())


def test_where_no_python_is_named_the_message_says_how_to_make_one(monkeypatch):
    monkeypatch.delenv("FORECASTER_RIVALS_PYTHON", raising=False)
    monkeypatch.setattr("forecaster.forecasting.rivals.find_spec", lambda name: None)
    with pytest.raises(ForecasterError, match="python -m venv rivals"):
        rivals_python()


def test_a_program_that_dies_is_an_error_not_a_wait(tmp_path, monkeypatch):
    dying = 'print("{\\"statsforecast\\": \\"0\\"}", flush=True); import sys; sys.stdin.readline(); raise SystemExit(9)'
    monkeypatch.setenv("FORECASTER_RIVALS_PYTHON", a_python(tmp_path, dying))
    with pytest.raises(ForecasterError, match="ended with code 9"):
        ClassicalForecaster("theta", 3).fit(seasonal_panel())


@pytest.mark.skipif("FORECASTER_RIVALS_PYTHON" not in os.environ, reason="FORECASTER_RIVALS_PYTHON names no Python")
@pytest.mark.parametrize("name", ["auto_ets", "theta", "auto_arima"])
def test_the_real_ones_beat_the_naive_forecast_where_there_is_a_trend_and_a_season(name):
    panel = seasonal_panel(steps=144)
    panel.values[:, 0] += np.linspace(0, 20, 144)
    origins = cutoffs(panel, 12, 2, 12)
    models = [ClassicalForecaster(name, 12, season=12), NaiveForecaster(seasonal_naive, 12, 12)]
    errors = []
    for model in models:
        frame = roll(model.fit(panel.until(origins[0])), panel, origins, levels=[80])
        errors.append((frame["y"] - frame[model.name]).abs().mean())
    assert errors[0] < 0.9 * errors[1]
    said = models[0].predict(panel.until(origins[0]))
    assert (said[f"{name}-lo-80"] < said[name]).all() and (said[name] < said[f"{name}-hi-80"]).all()
