"""Series split into groups, as a user types it: one model each from `run`, all of them answer, each is retrained."""

import io
import json
import zlib

import numpy as np
import pandas as pd
import pytest

from forecaster.config import Project
from forecaster.store import Store
from tests.cli.program import here
from tests.pipeline.conftest import SMALL, write_project
from tests.serving.live import serving

REGIONS = {"a": "north", "b": "north", "c": "south"}
"""The group of every series."""


def sales(days: int) -> pd.DataFrame:
    """A daily wave for each series, on a level of its own: 100, 200 and 300."""
    stamps = pd.date_range("2024-03-01", periods=24 * days, freq="h")
    wave = 10 * np.sin(2 * np.pi * np.arange(len(stamps)) / 24)
    parts = {
        name: 100 * place + wave + np.random.default_rng(place).normal(0, 1, len(stamps))
        for place, name in enumerate(REGIONS, start=1)
    }
    frames = [pd.DataFrame({"shop": name, "region": REGIONS[name], "ds": stamps, "y": y}) for name, y in parts.items()]
    return pd.concat(frames)


def with_west(table: pd.DataFrame) -> pd.DataFrame:
    """A third group beside them, one of a day only."""
    return pd.concat([table, table[table["shop"] == "c"][:24].assign(shop="d", region="west")])


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A project with a pipeline whose series are in three groups, of which two can be fitted; and what `run` said."""
    folder = tmp_path_factory.mktemp("groups")
    write_project(
        folder,
        data={"path": "sales.csv", "id": "shop", "groups": {"by": "region"}},
        models=[{"extends": "simple_rnn", **SMALL, "steps": 4, "evaluate_every": 2}], baselines=["naive"],
        backtest={"windows": 8}, validation=2, horizon=12, lookback=24, levels=[80],
        promote={"min_windows": 8, "beat": ["champion"], "significance": 1e-6},
    )  # fmt: skip
    with_west(sales(20)).to_csv(folder / "sales.csv", index=False)
    return folder, here("run", "small.yaml", "--force", "--json", cwd=folder)


def answer(folder, *arguments: str) -> str:
    """What the program prints when it ends well."""
    told = here(*arguments, cwd=folder)
    assert not told.returncode, told.stderr
    return told.stdout


def complaint(folder, *arguments: str) -> str:
    """What it prints when it does not."""
    told = here(*arguments, cwd=folder)
    assert told.returncode
    return " ".join(told.stderr.split())


def test_each_group_has_a_model_of_its_own_and_all_answer_together(ran):
    folder, first = ran
    told = json.loads(first.stdout)
    groups = [one for one in told["groups"] if one["result"]]
    assert [(one["name"], one["series"]) for one in groups] == [("small-north", 2), ("small-south", 1)]
    assert Store(folder / "models/store").names() == ["small-north", "small-south"]
    naive = [next(row for row in one["result"]["leaderboard"] if row["model"] == "naive") for one in groups]
    board = {row["model"]: row for row in told["leaderboard"]}
    assert board["naive"]["mase"] == pytest.approx((2 * naive[0]["mase"] + naive[1]["mase"]) / 3)
    assert set(board) == {"naive", "simple_rnn", "chosen"}
    sales(20).to_csv(folder / "three.csv", index=False)
    whole = pd.read_csv(io.StringIO(answer(folder, "predict", "small", "--data", "three.csv")))
    assert whole.groupby("unique_id").size().to_dict() == dict.fromkeys("abc", 12)
    assert {"chosen", "chosen-lo-80", "chosen-hi-80"} <= {*whole}
    south = pd.read_csv(io.StringIO(answer(folder, "predict", "small-south")))
    assert set(south["unique_id"]) == {"c"}
    with serving(Project(folder)) as live:
        served = live.client.post("/api/forecast/small-south", json={"levels": [80]}).json()
    assert {row["unique_id"] for row in served["forecasts"]} == {"c"}
    assert whole.loc[whole["unique_id"] == "c", "chosen"].tolist() == south["simple_rnn"].tolist()


def test_one_group_that_cannot_be_fitted_does_not_keep_the_others_from_it(ran):
    folder, first = ran
    failed = "these groups failed: small-west; go on with --resume"
    assert first.returncode and failed in " ".join(first.stderr.split())
    told = complaint(folder, "run", "small.yaml", "--force", "--resume")
    assert failed in told, "the one that failed is tried again, the others are not"
    assert failed in complaint(folder, "run", "small.yaml", "--workers", "2", "--resume"), (
        "nor do workers fit them again"
    )
    assert [Store(folder / "models/store").versions(f"small-{name}") for name in ("north", "south")] == [[1], [1]]
    with_west(sales(20)).to_csv(folder / "four.csv", index=False)
    told = here("predict", "small", "--data", "four.csv", cwd=folder)
    assert "no forecast for 1 series: nothing has been published of small's groups west" in told.stderr
    assert not told.returncode
    assert "each group of small has versions of its own" in complaint(folder, "predict", "small", "--version", "1")
    assert "holds no version of small. Choose one of: small-north, small-south." in complaint(
        folder, "models", "show", "small"
    )
    told = complaint(folder, "run", "small.yaml", "--report", "page.html")
    assert "--report page.html: each group of small has a report of its own" in told


def test_workers_say_what_one_process_says_and_a_hash_splits_as_a_column_does(ran):
    folder, _ = ran
    sales(20).to_csv(folder / "whole.csv", index=False)
    told = (folder / "small.yaml").read_text().replace("by: region", "hash: 2").replace("sales.csv", "whole.csv")
    (folder / "hashed.yaml").write_text(told.replace("groups:", "ignore: [region]\n  groups:"))
    alone = json.loads(answer(folder, "backtest", "hashed.yaml", "--json"))
    there = json.loads(answer(folder, "backtest", "hashed.yaml", "--workers", "2", "--json"))
    labels = {name: zlib.crc32(name.encode()) % 2 for name in REGIONS}
    assert [(one["name"], one["series"]) for one in there["groups"]] == [
        (f"hashed-{label}of2", list(labels.values()).count(label)) for label in sorted({*labels.values()})
    ]
    for one in (alone, there):
        for table in (one["leaderboard"], *(group["result"]["leaderboard"] for group in one["groups"])):
            for row in table:
                row.pop("seconds")
        for group in one["groups"]:
            group["result"].pop("seconds")
    assert there["groups"] == alone["groups"] and there["leaderboard"] == alone["leaderboard"]


def test_each_group_is_retrained_by_itself(ran):
    """Six days more of the south, and none of the others."""
    folder, _ = ran
    table = sales(26)
    old = table["ds"] < "2024-03-21"
    with_west(table[old | (table["region"] == "south")]).to_csv(folder / "sales.csv", index=False)
    told = here("retrain", "small.yaml", "--json", cwd=folder)
    runs = {one["pipeline"]: one["run"] for one in json.loads(told.stdout)["runs"]}
    assert told.returncode == 2 and runs["small-west"]["state"] == "failed"
    assert runs["small-north"]["outcome"] == "up to date" and runs["small-south"]["outcome"] in ("kept", "promoted")
    assert "there are some of small-north, small-south, small-west" in " ".join(answer(folder, "runs", "small").split())
    assert runs["small-north"]["data_hash"] != runs["small-south"]["data_hash"], "each has data of its own"
