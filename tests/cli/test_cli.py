"""The command line: what is printed, and how it exits."""

import io
import json
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from forecaster.store import Store
from tests.cli.program import forecaster, here
from tests.pipeline.conftest import SMALL, write_project


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project in which `run --force` has been done once, with one network."""
    folder = tmp_path_factory.mktemp("cli")
    write_project(folder, models=[{"extends": "simple_rnn", **SMALL, "clipnorm": 0.001}])
    answer = here("run", "small.yaml", "--force", cwd=folder)
    assert answer.returncode == 0, answer.stderr
    return folder, answer


def test_run_shows_what_it_read_the_leaderboard_the_verdict_and_where_things_lie(project):
    _, answer = project
    for fragment in (
        "rows           720", "inferred from the time stamps", "gaps           none", "found in the fitting part",
        "Gradient    simple_rnn: clipped in 100% of 30 steps, largest gradient norm",
        "MASE", "sMAPE", "RMSE", "WQL", "80%, 95%: share of the values inside", "skill", "seasonal_naive",
        "was chosen on the validation part",
        "SavedModel  models/store/small/1", "Report      models/reports/small.html",
    ):  # fmt: skip
        assert fragment in answer.stdout
    assert "…" not in answer.stdout, "the leaderboard must fit into 80 columns"


def test_progress_and_messages_go_to_standard_error(project):
    _, answer = project
    assert "finishing on all data, step" in answer.stderr and "finishing" not in answer.stdout


def test_predict_gives_dated_forecasts_with_intervals(project):
    folder, _ = project
    answer = here("predict", "small", "--level", "80", cwd=folder)
    lines = answer.stdout.splitlines()
    assert lines[0].split(",")[:3] == ["unique_id", "ds", "cutoff"] and lines[0].endswith("-hi-80")
    assert len(lines) == 25 and "2024-03-31 00:00:00" in lines[1]
    out = folder / "forecasts.csv"
    assert here("predict", "small", "--data", "demand.csv", "--out", out, cwd=folder).returncode == 0
    assert len(out.read_text().splitlines()) == 25
    (folder / "few.csv").write_text("".join((folder / "demand.csv").open().readlines()[:12]))
    few = here("predict", "small", "--data", "few.csv", cwd=folder)
    assert few.returncode == 0 and "1 of 1 series have fewer rows than the 48 steps" in few.stderr.replace("\n", " ")
    assert "fewer rows" not in answer.stderr


def test_json_has_the_stamps_and_numbers_of_the_csv_with_the_offset_of_their_zone(project, tmp_path):
    folder, _ = project
    hours = pd.date_range("2023-07-01", periods=480, freq="h", tz="Europe/Berlin")
    zoned = pd.read_csv(folder / "demand.csv")[:480].assign(ds=[hour.isoformat() for hour in hours])
    zoned.to_csv(tmp_path / "zoned.csv", index=False)
    for given, first in (
        ([], "2024-03-31T00:00:00"),
        (["--data", tmp_path / "zoned.csv"], "2023-07-21T00:00:00+02:00"),
    ):
        csv = pd.read_csv(io.StringIO(here("predict", "small", *given, cwd=folder).stdout), dtype=str)
        records = json.loads(here("predict", "small", *given, "--json", cwd=folder).stdout, parse_float=str)
        assert records[0]["ds"] == first
        csv[["ds", "cutoff"]] = csv[["ds", "cutoff"]].map(lambda stamp: stamp.replace(" ", "T"))
        assert records == csv.to_dict("records")


def test_forecasts_are_written_where_and_as_they_are_asked_for(project):
    folder, _ = project
    new = folder / "new" / "forecasts.json"
    assert here("predict", "small", "--json", "--out", new, cwd=folder).returncode == 0
    assert len(json.loads(new.read_text())) == 24
    for place, words in (
        ("new", "is a folder; name a file in it"),
        ("demand.csv/forecasts.csv", "cannot be written"),
        ("forecasts.json", "written as CSV (JSON with --json)"),
        ("forecasts.parquet", "written as CSV"),
    ):
        answer = here("predict", "small", "--out", place, cwd=folder)
        assert answer.returncode == 2 and words in " ".join(answer.stderr.split()), answer.stderr


def test_networks_of_ones_own_are_found_where_the_program_is_called(tmp_path):
    (tmp_path / "my_networks.py").write_text("")
    code = (
        "import atexit, importlib.util, sys\nsys.argv[1:] = ['--version']\n"
        "atexit.register(lambda: print(importlib.util.find_spec('my_networks').origin))\n"
        "from forecaster.cli import main\nmain()"
    )
    answer = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert answer.stdout.splitlines()[-1] == str(tmp_path / "my_networks.py"), answer.stderr


def test_predict_loads_no_more_than_tensorflow_and_the_data_need(project):
    """Each of these costs every call of the program; TensorFlow's own import would load scikit-learn and SciPy's."""
    folder, _ = project
    command = ["predict", "small", "--data", "demand.csv", "--out", "forecasts.csv"]
    code = (
        f"import atexit, sys\nsys.argv[1:] = {command}\n"
        "atexit.register(lambda: print(' '.join(sys.modules)))\nfrom forecaster.cli import main\nmain()"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    loaded = set(answer.stdout.split())
    assert "tensorflow" in loaded
    unwanted = {"sklearn", "scipy.stats", "sqlalchemy", "plotly", "exchange_calendars", "yfinance", "fastapi"}
    assert not loaded & (unwanted | {"forecaster.networks.lstm", "forecaster.evaluation", "forecaster.pipeline"})
    assert len((folder / "forecasts.csv").read_text().splitlines()) == 25


def test_models_list_and_show(project):
    folder, _ = project
    rows = json.loads(here("models", "list", "--json", cwd=folder).stdout)
    assert [(row["name"], row["version"], row["champion"]) for row in rows] == [("small", 1, True)]
    assert "champion" in here("models", "list", cwd=folder).stdout
    assert json.loads(here("models", "show", "small", cwd=folder).stdout)["horizon"] == 24


def test_backtest_publishes_nothing_and_json_is_one_object(project):
    folder, _ = project
    answer = here("-v", "--log-file", "log.txt", "backtest", "small.yaml", "--json", cwd=folder)
    assert "best at step" in answer.stderr.replace("\n", " ")
    assert "validation loss" in (folder / "log.txt").read_text()
    told = json.loads(answer.stdout)
    assert told["published"] is None and told["report"] is None
    assert Store(folder / "models/store").versions("small") == [1]


def test_strict_exits_with_1_when_the_gate_was_not_passed(tmp_path):
    write_project(tmp_path, models=[{"extends": "gru", "units": 1, "steps": 1, "learning_rate": 1e-9}], season=7)
    answer = here("run", "small.yaml", "--strict", cwd=tmp_path)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert "Nothing was published" in answer.stdout
    assert here("models", "list", cwd=tmp_path).stdout.startswith("nothing has been published")


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["run", "no.yaml"], "no.yaml: no such file"),
        (["predict", "nothing"], "nothing"),
        (["schema", "colour"], "write pipeline or model"),
        (["--project", "/no/such/folder", "models", "list"], "--project: /no/such/folder is no folder"),
        (["run", "broken.yaml"], "broken.yaml:2: horizn: unknown key"),
        (["run", "text.yaml"], "row 4, column 'y': 'abc' is not a number"),
        (["--log-file", "/no/such/folder/log", "models", "list"], "cannot be written"),
    ],
)
def test_law_8_bad_usage_exits_with_2_and_says_what_to_do_without_a_traceback(arguments, fragment, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "broken.yaml").write_text("data: {path: x.csv}\nhorizn: 3\nhorizon: 2\n")
    (tmp_path / "text.csv").write_text("ds,y\n2024-01-01,1\n2024-01-02,2\n2024-01-03,abc\n2024-01-04,3\n")
    (tmp_path / "text.yaml").write_text("data: {path: text.csv}\nhorizon: 1\n")
    answer = here(*arguments, cwd=tmp_path)
    assert answer.returncode == 2
    assert fragment in answer.stderr.replace("\n", " ")
    assert "Traceback" not in answer.stderr + answer.stdout


def test_a_fault_of_ours_exits_with_3_and_lies_in_the_log(tmp_path, monkeypatch):
    """A network of the user's own that breaks counts as a fault: it is no bad input that we could name."""
    (tmp_path / "broken_network.py").write_text("def build(definition, seed):\n    raise RuntimeError('on purpose')\n")
    monkeypatch.syspath_prepend(tmp_path)
    write_project(tmp_path, models=[{"network": "broken_network:build"}])
    answer = here("--log-file", "log.txt", "backtest", "small.yaml", cwd=tmp_path)
    assert answer.returncode == 3
    assert "RuntimeError: on purpose" in answer.stderr and "Traceback" not in answer.stderr
    assert "Traceback" in (tmp_path / "log.txt").read_text()


def test_predict_goes_through_what_was_not_observed_to_the_date_asked_for(project):
    folder, _ = project
    answer = here("predict", "small", "--from", "2024-04-02T12:00", "--level", "80", cwd=folder)
    assert answer.returncode == 0, answer.stderr
    lines = [line.split(",") for line in answer.stdout.splitlines()]
    assert [line[1] for line in lines[1:3]] == ["2024-04-02 12:00:00", "2024-04-02 13:00:00"] and len(lines) == 25
    assert {line[2] for line in lines[1:]} == {"2024-03-30 23:00:00"}
    said = " ".join(answer.stderr.split())
    assert "60 steps before the start were not observed (series 'y', last seen at 2024-03-30 23:00:00)" in said
    refused = here("predict", "small", "--from", "tomorrow", cwd=folder)
    assert refused.returncode == 2 and "'tomorrow' is no time stamp of these data" in refused.stderr.replace("\n", " ")


def test_ctrl_c_ends_cleanly_and_resume_goes_on(tmp_path):
    endless = {**SMALL, "steps": 100_000, "patience": 100_000}
    write_project(tmp_path, models=[{"extends": "gru", **endless}], baselines=["naive"])
    command = [sys.executable, "-m", "forecaster", "--log-file", "log.txt", "backtest", "small.yaml"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    log, checkpoint = tmp_path / "log.txt", tmp_path / "models/store/.checkpoints/small/gru.npz"
    while process.poll() is None and not (log.exists() and "gru: step 10," in log.read_text()):
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "go on with: forecaster backtest small.yaml --resume" in messages.replace("\n", " ")
    assert checkpoint.exists() and "Traceback" not in messages
    assert "absl" not in messages, "the backend's start-up messages stand between ours"


def test_help_lists_the_commands_and_the_schema_is_json_schema(tmp_path):
    answer = forecaster("--help")
    assert answer.returncode == 0
    for command in ("run", "backtest", "predict", "models", "schema"):
        assert command in answer.stdout
    assert json.loads(here("schema", cwd=tmp_path).stdout)["required"] == ["data", "horizon"]


def test_the_shipped_pipelines_and_models_are_valid():
    from pathlib import Path

    from forecaster.config import Project, read_model, read_pipeline

    root = Path(__file__).parents[2]
    pipelines = sorted((root / "pipelines").glob("*.yaml"))
    assert {file.stem for file in pipelines} >= {"energy_demand", "stock_prices", "sensor_data"}
    for file in pipelines:
        definition = read_pipeline(file)
        assert definition.name == file.stem
        for entry in definition.models:
            Project(root).model(entry)
    for file in (root / "models").glob("*.yaml"):
        assert read_model(file).name == file.stem
        first = file.read_text(encoding="utf-8").splitlines()[0]
        assert "forecaster/networks/" in first, f"{file}: the first line names the code that builds it"
