"""One small pipeline, run once: a project folder with data, a pipeline file and a published version."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from forecaster.config import Project, read_pipeline
from forecaster.pipeline import run

SMALL = {"units": 4, "steps": 30, "warmup": 2, "evaluate_every": 10, "batch_size": 16}
"""Changes to a model that make it quick."""


def write_project(folder: Path, **changes) -> Path:
    """A project whose pipeline a small network wins; returns the pipeline file."""
    (folder / "models").mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(7)
    steps = np.arange(24 * 30)
    demand = 100 + 20 * np.sin(2 * np.pi * steps / 24) + generator.normal(0, 2, len(steps))
    stamps = pd.date_range("2024-03-01", periods=len(steps), freq="h")
    pd.DataFrame({"ds": stamps, "y": demand}).to_csv(folder / "demand.csv", index=False)
    definition = {
        "data": {"path": str(folder / "demand.csv")},
        "horizon": 24,
        "lookback": 48,
        "models": [{"extends": "gru", **SMALL}, {"extends": "simple_rnn", **SMALL, "clipnorm": 0.001}],
        "baselines": ["naive", "seasonal_naive", "ridge"],
        "backtest": {"windows": 5},
        **changes,
    }
    file = folder / "small.yaml"
    file.write_text(yaml.safe_dump(definition), encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The run's result, its project, and its definition."""
    folder = tmp_path_factory.mktemp("project")
    file = write_project(folder)
    project = Project(folder)
    definition = read_pipeline(file)
    result = run(definition, project, base=folder, report=folder / "report.html", force=True)
    return result, project, definition
