"""`retrain` and `runs` as a user types them: a real fit, exit codes, JSON, and what bad input is told."""

import json

import pytest

from forecaster.store import Store
from tests.cli.test_cli import forecaster
from tests.pipeline.conftest import SMALL, write_project


@pytest.fixture(scope="module")
def retrained(tmp_path_factory):
    """A project whose only pipeline was due and has been retrained once."""
    folder = tmp_path_factory.mktemp("retrain")
    file = write_project(
        folder, schedule="* * 1 1 *", models=[{"extends": "gru", **SMALL}], backtest={"windows": 14}, validation=2
    )
    (folder / "pipelines").mkdir()
    file.rename(folder / "pipelines" / "small.yaml")
    return folder, forecaster("retrain", "--due", "--once", "--json", cwd=folder)


def test_what_is_due_is_retrained_once_and_written_down(retrained):
    folder, answer = retrained
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout)
    (report,) = told["runs"]
    run = report["run"]
    assert told["again"] is None and (run["state"], run["cause"]) == ("done", "schedule")
    assert run["outcome"] in ("promoted", "kept") and report["text"] == run["reason"] and len(run["data_hash"]) == 64
    store = Store(folder / "models/store")
    assert (run["version"] is not None) == (store.versions("small") == [1])
    assert store.versions("small") or store.challengers.numbers("small")
    again = forecaster("retrain", "--due", "--once", cwd=folder)
    assert again.returncode == 0 and again.stdout.startswith("nothing is due; the next is small at ")
    (row,) = json.loads(forecaster("runs", "--json", cwd=folder).stdout)
    assert row == run
    shown = forecaster("runs", "small", cwd=folder).stdout
    assert run["outcome"] in shown and run["reason"][:40] in shown


def test_by_hand_nothing_new_means_up_to_date(retrained):
    folder, _ = retrained
    answer = forecaster("retrain", "small", cwd=folder)
    assert answer.returncode == 0 and answer.stdout.startswith("small  up to date  nothing new since"), answer.stderr
    assert json.loads(forecaster("runs", "--outcome", "up to date", "--json", cwd=folder).stdout)[0]["cause"] == "hand"


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
def test_bad_usage_exits_with_2_and_says_what_to_write(tmp_path, arguments, fragment):
    (tmp_path / "models").mkdir()
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines/small.yaml").write_text("data: {path: no.csv}\nhorizon: 2\n")
    answer = forecaster(*arguments, cwd=tmp_path)
    assert answer.returncode == 2 and fragment in answer.stderr.replace("\n", " ")
    assert "Traceback" not in answer.stderr
