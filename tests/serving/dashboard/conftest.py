from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from forecaster.config import Project
from forecaster.store import Store
from forecaster.store.inspection import write_inspection
from forecaster.store.ledger import Ledger
from forecaster.store.ledger_records import Ending
from tests.reporting.made_up_inspection import made_up_inspection
from tests.serving.live import serving
from tests.serving.published import draft, publish

HOURS = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=120, freq="h"), "y": np.arange(120.0) % 24})
BOARD = [
    {
        "model": "walk",
        "kind": "network",
        "mase": 0.5,
        "coverage-80": 0.79,
        "skill": 0.25,
        "p": 0.01,
        "significant": True,
    },
    {"model": "<naive>", "kind": "naive", "mase": 0.667, "coverage-80": 0.8, "skill": 0.0, "p": None},
]  # fmt: skip
PIPELINE = "data: {path: walk.csv}\nhorizon: 3\nschedule: '0 3 * * *'\n"


@pytest.fixture(scope="session")
def shown_project(saved, tmp_path_factory):
    """A project with a pipeline of everything: two versions, a challenger, an inspection, a file, runs with drift."""
    root = tmp_path_factory.mktemp("shown")
    for folder in ("models", "pipelines"):
        (root / folder).mkdir()
    HOURS.to_csv(root / "walk.csv", index=False)
    (root / "pipelines" / "walk.yaml").write_text(PIPELINE)
    (root / "pipelines" / "wrong.yaml").write_text("data: {path: x.csv}\nhorison: 3\n")
    project = Project(root)
    store = Store(project.store)
    told = {
        "data": {"source": "csv", "path": str(root / "walk.csv")}, "scores": {"test": BOARD},
        "gate": {"verdict": "walk beats <b>all</b>."}, "training": {"until": "2024-01-05T12:00:00"},
    }  # fmt: skip
    publish(store, "walk", saved["walk"], **told)
    with store.stage("walk") as staging:
        (staging.served / "copied").write_bytes(b"x")
        store.challengers.keep(staging, draft(**told))
    with store.stage("walk") as staging:
        _copy(saved["walk"], staging)
        write_inspection(staging.side, made_up_inspection())
        store.publish(staging, draft(**told))
    with Ledger(project.store) as ledger:
        claim = ledger.claim("walk", datetime.now(UTC), "schedule", allowed=3)
        drift = {"drifted": True, "reason": "errors have grown", "errors": {}}
        ledger.finish(claim, Ending("kept", "the champion <i>is</i> better", p=0.4, drift=drift, seconds=75.0))
    return project


def _copy(saved, staging):
    import shutil

    shutil.copytree(saved, staging.served, dirs_exist_ok=True)


@pytest.fixture(scope="session")
def shown(shown_project):
    """A server of that project."""
    with serving(shown_project) as live:
        yield live
