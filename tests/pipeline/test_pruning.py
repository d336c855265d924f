"""What is left after `keep`: versions, challengers, and the snapshots that they were made from."""

import pytest
import yaml

from forecaster.config import PipelineDefinition, Project
from forecaster.pipeline.pruning import prune
from forecaster.series.market import snapshot_name
from forecaster.store import Store
from tests.store.fake_publisher import draft, write

TICKERS = {"source": "ticker", "symbols": ["AAPL"], "start": "2015-01-01"}


class Desk:
    """A project, and versions that say from which snapshot they were made."""

    def __init__(self, folder):
        self.project = Project(folder)
        self.store = Store(self.project.store)
        self.snapshots = folder / "data" / "snapshots"
        self.snapshots.mkdir(parents=True)

    def snapshot(self, name):
        for file in (name, f"{name}.json"):
            (self.snapshots / file).write_text("{}")

    def version(self, snapshot, name="stocks", challenger=False, **data):
        told = {"source": "ticker", "snapshot": f"{snapshot} of 2026-01-01, SHA-256 ab…", **data}
        with self.store.stage(name) as staging:
            write(staging.folder, "x")
            (self.store.challengers.keep if challenger else self.store.publish)(staging, draft(data=told))

    def prune(self, keep=1, **data):
        definition = PipelineDefinition(name="stocks", data={**TICKERS, **data}, horizon=2, keep=keep)
        prune(definition, self.project, self.store)
        return sorted(file.name for file in self.snapshots.iterdir() if file.suffix == ".csv")


@pytest.fixture
def desk(tmp_path):
    """Three versions of a pipeline, each from a snapshot of its own; one more file that a person fetched."""
    desk = Desk(tmp_path)
    for name in ("a.csv", "b.csv", "c.csv", "fetched.csv"):
        desk.snapshot(name)
    for name in ("a.csv", "b.csv", "c.csv"):
        desk.version(name)
    return desk


def test_snapshots_go_with_the_versions_that_were_made_from_them(desk):
    assert desk.prune(keep=2) == ["b.csv", "c.csv", "fetched.csv"]
    assert desk.store.versions("stocks") == [2, 3]
    assert desk.prune(keep=2) == ["b.csv", "c.csv", "fetched.csv"]
    assert [file.name for file in desk.snapshots.glob("a*")] == [], "with the file beside it"


def test_what_any_version_or_challenger_needs_stays(desk):
    desk.version("a.csv", challenger=True)
    desk.version("b.csv", name="bonds")
    assert desk.prune() == ["a.csv", "b.csv", "c.csv", "fetched.csv"]


def test_what_a_file_of_data_is_to_a_version_stays(desk):
    desk.version("none.csv", name="from_file", path=str(desk.snapshots / "a.csv"))
    assert desk.prune() == ["a.csv", "c.csv", "fetched.csv"]


def test_what_a_pipeline_asks_for_stays(desk):
    own, other = (snapshot_name(PipelineDefinition(data={**TICKERS, "symbols": [one]}, horizon=2).data) for one in "XY")
    for place, name in enumerate((own, other)):
        desk.snapshot(name)
        desk.version(name, name="stocks")
        desk.version(f"newer{place}.csv")
    folder = desk.project.root / "pipelines"
    folder.mkdir()
    (folder / "other.yaml").write_text(yaml.safe_dump({"data": {**TICKERS, "symbols": ["Y"]}, "horizon": 2}))
    assert desk.prune(symbols=["X"]) == sorted(["fetched.csv", own, other])


def test_a_damaged_manifest_keeps_every_snapshot(desk):
    desk.version("d.csv", name="bonds")
    manifest = desk.project.store / ".manifests" / "bonds" / "1" / "manifest.json"
    manifest.write_text("{")
    assert desk.prune() == ["a.csv", "b.csv", "c.csv", "fetched.csv"]
    assert desk.store.versions("stocks") == [3], "the versions are pruned all the same"
