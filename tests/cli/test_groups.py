"""Series split into groups, as a user types it: one model each from `run`, all of them answer, each is retrained."""

import io
import json
import zlib

import numpy as np
import pandas as pd
import pytest

from forecaster.cli import main
from forecaster.config import Project
from forecaster.store import Store
from tests.pipeline.conftest import SMALL, write_project
from tests.serving.live import serving

REGIONS = {"a": "north", "b": "north", "c": "south"}
"""The group of every series."""


def sales(days: int) -> pd.DataFrame:
    """A daily wave for each series, on a level of its own: 100, 200 and 300."""
    stamps = pd.date_range("2024-03-01", periods=24 * days, freq="h")
    noise, wave = np.random.default_rng(7), 10 * np.sin(2 * np.pi * np.arange(len(stamps)) / 24)
    parts = {name: 100 * place + wave + noise.normal(0, 1, len(stamps)) for place, name in enumerate(REGIONS, start=1)}
    frames = [pd.DataFrame({"shop": name, "region": REGIONS[name], "ds": stamps, "y": y}) for name, y in parts.items()]
    return pd.concat(frames)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a pipeline whose three series are in two groups; the working folder."""
    write_project(
        tmp_path,
        data={"path": "sales.csv", "id": "shop", "groups": {"by": "region"}},
        models=[{"extends": "simple_rnn", **SMALL, "steps": 4, "evaluate_every": 2}], baselines=["naive"],
        backtest={"windows": 8}, validation=2, horizon=12, lookback=24, levels=[80],
        promote={"min_windows": 8, "beat": ["champion"], "significance": 1e-6},
    )  # fmt: skip
    sales(20).to_csv(tmp_path / "sales.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def code(*arguments: str) -> int | str | None:
    """Runs the program in this process; its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["forecaster", *arguments])
        try:
            main()
        except SystemExit as end:
            return end.code
    return None


def answer(capsys, *arguments: str) -> str:
    """What the program prints when it ends well."""
    ended, told = code(*arguments), capsys.readouterr()
    assert not ended, told.err
    return told.out


def test_each_group_has_a_model_of_its_own_and_all_answer_together(project, capsys):
    told = json.loads(answer(capsys, "run", "small.yaml", "--force", "--json"))
    assert [(one["name"], one["series"]) for one in told["groups"]] == [("small-north", 2), ("small-south", 1)]
    store = Store(project / "models/store")
    assert store.names() == ["small-north", "small-south"]
    naive = [next(row for row in one["result"]["leaderboard"] if row["model"] == "naive") for one in told["groups"]]
    board = {row["model"]: row for row in told["leaderboard"]}
    assert board["naive"]["mase"] == pytest.approx((2 * naive[0]["mase"] + naive[1]["mase"]) / 3)
    assert set(board) == {"naive", "simple_rnn", "chosen"}
    whole = pd.read_csv(io.StringIO(answer(capsys, "predict", "small")))
    assert whole.groupby("unique_id").size().to_dict() == dict.fromkeys("abc", 12)
    assert {"chosen", "chosen-lo-80", "chosen-hi-80"} <= {*whole}
    south = pd.read_csv(io.StringIO(answer(capsys, "predict", "small-south")))
    assert set(south["unique_id"]) == {"c"}
    with serving(Project(project)) as live:
        served = live.client.post("/api/forecast/small-south", json={"levels": [80]}).json()
    assert {row["unique_id"] for row in served["forecasts"]} == {"c"}
    assert whole.loc[whole["unique_id"] == "c", "chosen"].tolist() == south["simple_rnn"].tolist()

    sales(26).to_csv("sales.csv", index=False)
    reports = json.loads(answer(capsys, "retrain", "small.yaml", "--json"))["runs"]
    assert {one["pipeline"]: one["run"]["state"] for one in reports} == {"small-north": "done", "small-south": "done"}
    assert {one["run"]["outcome"] for one in reports} <= {"kept", "promoted"}
    assert len({one["run"]["data_hash"] for one in reports}) == 2, "each group's data have a hash of their own"


def test_workers_say_what_one_process_says_and_a_hash_splits_as_a_column_does(project, capsys):
    told = (project / "small.yaml").read_text().replace("by: region", "hash: 2")
    (project / "hashed.yaml").write_text(told.replace("groups:", "ignore: [region]\n  groups:"))
    here = json.loads(answer(capsys, "backtest", "hashed.yaml", "--json"))
    there = json.loads(answer(capsys, "backtest", "hashed.yaml", "--workers", "2", "--json"))
    labels = {name: zlib.crc32(name.encode()) % 2 for name in REGIONS}
    assert [(one["name"], one["series"]) for one in there["groups"]] == [
        (f"hashed-{label}of2", list(labels.values()).count(label)) for label in sorted({*labels.values()})
    ]
    for one in (here, there):
        for table in (one["leaderboard"], *(group["result"]["leaderboard"] for group in one["groups"])):
            for row in table:
                row.pop("seconds")
        for group in one["groups"]:
            group["result"].pop("seconds")
    assert there["groups"] == here["groups"] and there["leaderboard"] == here["leaderboard"]


def test_one_group_that_cannot_be_fitted_does_not_keep_the_others_from_it(project, capsys):
    table = sales(20)
    table[(table["region"] == "north") | (table["ds"] < "2024-03-02")].to_csv("sales.csv", index=False)
    assert code("run", "small.yaml", "--force")
    told = capsys.readouterr()
    assert "these groups failed: small-south; go on with --resume" in " ".join(told.err.split())
    assert Store(project / "models/store").names() == ["small-north"]
    assert code("run", "small.yaml", "--force", "--resume"), "the one that failed is tried again, the other is not"
    assert "these groups failed: small-south" in " ".join(capsys.readouterr().err.split())
    assert Store(project / "models/store").versions("small-north") == [1]
    assert code("run", "small.yaml", "--workers", "2", "--resume"), "nor do workers fit it again"
    assert Store(project / "models/store").versions("small-north") == [1]
    capsys.readouterr()
    sales(20).to_csv("more.csv", index=False)
    assert not code("predict", "small", "--data", "more.csv")
    told = capsys.readouterr()
    assert "no forecast for 1 series: nothing has been published of small's groups south" in told.err
    assert code("predict", "small", "--version", "1")
    assert "each group of small has versions of its own" in " ".join(capsys.readouterr().err.split())
