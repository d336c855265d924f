"""Retraining with `promote.refit`: what is published is the twin that has learnt from all data, and told as such."""

import numpy as np
import pandas as pd
import pytest

from forecaster.forecasting.published import PublishedForecaster
from forecaster.forecasting.published_symbols import PublishedSymbols
from forecaster.lifecycle.drift import drift
from forecaster.lifecycle.retraining import retrain
from forecaster.series.source import load
from tests.one_pipeline import OnePipeline

TINY = {"units": 4, "steps": 4, "warmup": 1, "evaluate_every": 2, "batch_size": 8}
PROMOTE = {"min_windows": 3, "beat": ["champion"], "refit": True}


@pytest.fixture
def short(tmp_path):
    """Monthly series shorter than what Theta remembers: behind the fitting part they are longer."""
    steps = np.arange(72)
    frames = [
        pd.DataFrame({
            "unique_id": f"s{one}",
            "ds": pd.date_range("2015-01-01", periods=72, freq="MS"),
            "y": 100 + one + 0.5 * steps + 9 * np.sin(2 * np.pi * steps / 12) + np.cos(one + steps),
        })
        for one in range(3)
    ]  # fmt: skip
    pd.concat(frames).to_csv(tmp_path / "sales.csv", index=False)
    made = OnePipeline.made_in(tmp_path)
    told = {
        "data": {"path": str(tmp_path / "sales.csv"), "id": "unique_id"}, "horizon": 3, "lookback": 12,
        "models": [{"extends": "gru", **TINY, "theta": 0.5}], "baselines": ["naive"], "backtest": {"windows": 4},
        "promote": PROMOTE,
    }  # fmt: skip
    return made, made.defined("sales", told)


def test_the_manifest_is_the_twins(short):
    """Theta remembers up to 128 steps of a series, so the twin's network reads longer windows than the run's."""
    made, definition = short
    night = retrain(definition, made.project, base=made.folder)
    assert night.outcome == "promoted", night.reason
    version = made.store.read("sales")
    assert version.manifest.gate["refit"] is True and version.manifest.lookback == 72
    panel = load(definition.data, made.folder, made.folder)
    said = PublishedForecaster.load(version.served, version.manifest).quantiles(panel)
    assert said.shape == (3, 3, 5) and np.isfinite(said).all()
    assert version.manifest.training["until"] == version.manifest.training["data_until"] == "2020-12-01T00:00:00"
    assert version.manifest.training["scale_until"] == "2019-12-01T00:00:00"
    calm = drift(definition, made.project, base=made.folder)
    assert calm["inputs"] == {} and not calm["drifted"]


def test_the_vocabulary_is_the_twins(tmp_path):
    """A name that first occurs behind what the run has learnt from stands among the others where the twin puts it."""
    names = np.resize(["rest", "run", "swim"], 90)
    names[-10:-7] = "bike"
    stamps = pd.date_range("2024-01-01", periods=len(names), freq="D")
    pd.DataFrame({"ds": stamps, "what": names}).to_csv(tmp_path / "sport.csv", index=False)
    made = OnePipeline.made_in(tmp_path)
    told = {
        "data": {"kind": "symbols", "path": str(tmp_path / "sport.csv"), "target": "what"}, "horizon": 1, "lookback": 6,
        "models": [{"extends": "gru", **TINY}], "baselines": ["last"], "metrics": ["log_loss"],
        "backtest": {"windows": 6}, "validation": 6, "promote": {**PROMOTE, "metric": "log_loss"},
    }  # fmt: skip
    definition = made.defined("sport", told)
    night = retrain(definition, made.project, base=tmp_path)
    assert night.outcome == "promoted", night.reason
    version = made.store.read("sport")
    assert version.manifest.vocabulary == ["<unknown>", "bike", "rest", "run", "swim"]
    panel = load(definition.data, tmp_path, tmp_path)
    told = PublishedSymbols.load(version.served, version.manifest).probabilities(panel)
    assert told.shape[-1] == 5 and told.sum(axis=-1) == pytest.approx(1, abs=1e-5)
