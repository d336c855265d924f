"""`retrain` and `runs` as a user types them: a real fit, exit codes, JSON, and what bad input is told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from forecaster.cli import main
from forecaster.store import Store
from tests.cli.program import here
from tests.pipeline.conftest import SMALL, write_project

HARD = {"min_windows": 8, "beat": ["champion"], "significance": 1e-6}
"""Nothing to beat without a champion; with one, hardly to be beaten."""


@pytest.fixture(scope="module")
def retrained(tmp_path_factory):
    """A project whose two pipelines were due and have been retrained once; the second then learnt from all data."""
    folder = tmp_path_factory.mktemp("retrain")
    (folder / "pipelines").mkdir()
    told = {
        "models": [{"extends": "simple_rnn", **SMALL, "steps": 2, "evaluate_every": 2}],
        "baselines": ["naive"], "backtest": {"windows": 8}, "validation": 2,
        "horizon": 12, "lookback": 24, "schedule": "* * 1 1 *",
    }  # fmt: skip
    for name, promote in {"small": HARD, "whole": {**HARD, "refit": True}}.items():
        file = write_project(folder, **told, promote=promote)
        file.rename(folder / "pipelines" / f"{name}.yaml")
    rows = (folder / "demand.csv").read_text().splitlines(keepends=True)
    (folder / "demand.csv").write_text("".join(rows[: -24 * 2]))
    answer = here("retrain", "--due", "--once", "--json", cwd=folder, alone=True)
    (folder / "demand.csv").write_text("".join(rows))
    return folder, answer


def runs(folder, *arguments):
    return json.loads(here("runs", *arguments, "--json", cwd=folder).stdout)


def test_what_is_due_is_retrained_once_and_written_down(retrained):
    folder, answer = retrained
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout)
    assert told["again"] is None and {report["pipeline"] for report in told["runs"]} == {"small", "whole"}
    for report in told["runs"]:
        run = report["run"]
        assert (run["state"], run["cause"], run["outcome"], run["version"]) == ("done", "schedule", "promoted", 1)
        assert report["text"] == run["reason"] and len(run["data_hash"]) == 64
    again = here("retrain", "--due", "--once", cwd=folder)
    assert again.returncode == 0 and again.stdout.startswith("nothing is due; the next is small at ")
    assert sorted(runs(folder), key=str) == sorted((report["run"] for report in told["runs"]), key=str)
    shown = here("runs", "small", cwd=folder).stdout
    assert "promoted" in shown and told["runs"][0]["run"]["reason"][:40] in shown


def test_when_the_data_have_grown_the_champion_is_challenged(retrained):
    """Two days more: the loser is kept on disk; who has learnt from all data meets nobody yet; then nothing is new."""
    folder, _ = retrained
    answer = here("retrain", "small", "whole", "--json", cwd=folder, alone=True)
    assert answer.returncode == 0, answer.stderr
    found = {report["pipeline"]: report["run"] for report in json.loads(answer.stdout)["runs"]}
    assert {name: run["outcome"] for name, run in found.items()} == {"small": "kept", "whole": "not enough new data"}
    small, store = found["small"], Store(folder / "models/store")
    assert "version 1 stays" in small["reason"] and small["p"] >= 1e-6 and small["scores"]["challenger"] == 1
    assert store.versions("small") == store.versions("whole") == [1]
    kept = store.challengers.read("small", 1).manifest
    assert len(kept.attempt) == 32 and kept.data["sha256"] == small["data_hash"]
    assert "only 4 forecast origins" in found["whole"]["reason"]
    answer = here("retrain", "small", cwd=folder, alone=True)
    assert answer.returncode == 0 and answer.stdout.startswith("small  up to date  nothing new since challenger 1")
    assert [run["outcome"] for run in runs(folder, "small")] == ["up to date", "kept", "promoted"]
    assert runs(folder, "--outcome", "kept") == [small]


KILLED = """
import os
from datetime import UTC, datetime
from pathlib import Path
from forecaster.store.ledger import Ledger
Ledger(Path("models/store")).claim("small", datetime.now(UTC), "hand", allowed=1)
os._exit(9)
"""


def test_one_by_hand_whose_process_died_is_shown_and_ended_by_the_next_pass_whatever_is_due(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines/small.yaml").write_text("data: {path: no.csv}\nhorizon: 2\n")
    environment = {"PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path, env=environment).returncode == 9
    shown = here("runs", cwd=tmp_path).stdout
    assert "running" in shown and "lives no more" in shown
    assert "lives no more" in runs(tmp_path)[0]["trouble"]
    answer = here("retrain", "--due", "--once", cwd=tmp_path)
    assert answer.returncode == 3 and answer.stdout.startswith("small  failed  its process")
    assert "ended without a word" in here("runs", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["retrain"], "name pipelines (files, or names in pipelines/), or write --due"),
        (["retrain", "odd"], "odd: no such pipeline; give a file, or one of those in"),
        (["retrain", "small", "--due"], "has no schedule, so it is never due"),
        (["retrain", "--due", "--ledger", "sqlite://"], "a ledger in memory is forgotten at once"),
        (["runs", "--state", "odd"], "write one of running, waiting, done, failed"),
        (["runs", "--since", "yesterday"], "'yesterday' is no time; write 2026-03-01"),
    ],
)
def test_bad_usage_exits_with_2_and_says_what_to_write(tmp_path, arguments, fragment, monkeypatch, capsys):
    (tmp_path / "models").mkdir()
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines/small.yaml").write_text("data: {path: no.csv}\nhorizon: 2\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["forecaster", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    told = capsys.readouterr().err
    assert end.value.code == 2 and fragment in told.replace("\n", " ") and "Traceback" not in told
