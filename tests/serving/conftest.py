import os

import pandas as pd
import pytest

from forecaster.config import Project
from forecaster.store import Store
from tests.serving.live import serving
from tests.serving.published import publish, running_mean, several, walk

FEW = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=6, freq="h"), "y": [1.0, 2, 3, 4, 5, 6]})


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """SavedModels by name, written once; `walk-1` adds 100 to its forecasts."""
    folder = tmp_path_factory.mktemp("saved")
    return {
        "walk": walk(folder / "walk"),
        "walk-1": walk(folder / "walk-1", mark=100.0),
        "mean": running_mean(folder / "mean"),
        "several": several(folder / "several"),
    }


@pytest.fixture(scope="session")
def project(saved, tmp_path_factory):
    """A project with two versions of `walk`, one of `several`, and data."""
    root = tmp_path_factory.mktemp("served")
    (root / "models").mkdir()
    FEW.to_csv(root / "walk.csv", index=False)
    project = Project(root)
    store = Store(project.store)
    data = {"source": "csv", "path": str(root / "walk.csv")}
    publish(store, "walk", saved["walk"], data=data)
    publish(store, "walk", saved["walk-1"], data=data)
    publish(store, "several", saved["several"])
    return project


@pytest.fixture(scope="session")
def live(project):
    """A server of that project; tests leave its versions as they are."""
    with serving(project) as live:
        yield live
