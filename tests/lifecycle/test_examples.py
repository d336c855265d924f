"""The examples in pipelines/scheduling, held against the program's own options and, where there is one, a checker."""

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from forecaster.cli.app import app
from forecaster.config.cron import Cron

FOLDER = Path(__file__).parents[2] / "pipelines" / "scheduling"
PROGRAM = "/opt/forecaster/.venv/bin/forecaster"


def commands() -> list[tuple[str, list[str]]]:
    """Every call of the program in the examples, as words."""
    found = []
    for path in sorted(FOLDER.iterdir()):
        text = path.read_text(encoding="utf-8")
        found += [(path.name, line.split()) for line in re.findall(rf"{PROGRAM} ([a-z -]*[a-z])", text)]
    job = yaml.safe_load((FOLDER / "kubernetes.yaml").read_text())
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    return [*found, ("kubernetes.yaml", container["command"][1:])]


def test_every_call_has_options_that_the_program_knows():
    called = commands()
    assert {name for name, _ in called} >= {
        "airflow_dag.py", "forecaster-retrain.service", "forecaster-schedule.service", "kubernetes.yaml",
    }  # fmt: skip
    for name, words in called:
        if words[0] == "--log-file":  # the cron line has a test of its own
            continue
        told = CliRunner().invoke(app, [words[0], "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
        assert told.exit_code == 0, (name, words)
        for option in words[1:]:
            assert option in told.stdout, (name, option)


def test_the_cron_line_is_one():
    (line,) = [line for line in (FOLDER / "forecaster.cron").read_text().splitlines() if line[0] in "*0123456789"]
    minute, hour, day, month, weekday, user, command = line.split(maxsplit=6)
    Cron.parse(f"{minute} {hour} {day} {month} {weekday}")
    assert user == "forecaster" and f"{PROGRAM} --log-file" in command and "retrain --due --once" in command


def test_the_kubernetes_job_has_what_a_cronjob_must_have():
    job = yaml.safe_load((FOLDER / "kubernetes.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    assert job["spec"]["concurrencyPolicy"] in ("Allow", "Forbid", "Replace")
    Cron.parse(job["spec"]["schedule"])
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["restartPolicy"] in ("Never", "OnFailure")
    (container,) = pod["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    known = {"name", "image", "command", "workingDir", "env", "resources", "volumeMounts"}
    assert set(container) == known


def test_the_airflow_dag_is_python_with_one_task_that_ends_as_the_program_does():
    tree = ast.parse((FOLDER / "airflow_dag.py").read_text())
    calls = {node.func.id: {one.arg for one in node.keywords} for node in ast.walk(tree)
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}  # fmt: skip
    assert {"dag_id", "schedule", "start_date", "catchup"} <= calls["DAG"]
    assert {"task_id", "bash_command", "retries"} <= calls["BashOperator"]


def test_systemd_accepts_the_units(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed (apt install systemd)")
    program = tmp_path / "forecaster"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for unit in [*FOLDER.glob("*.service"), *FOLDER.glob("*.timer")]:  # on a machine that has neither program nor user
        text = unit.read_text().replace(PROGRAM, str(program)).replace("User=forecaster\n", "")
        (tmp_path / unit.name).write_text(text)
    units = sorted(str(path) for path in tmp_path.glob("forecaster-*"))
    answer = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
    ours = [line for line in answer.stderr.splitlines() if "forecaster" in line]
    assert len(units) == 3 and ours == []
    timer = (FOLDER / "forecaster-retrain.timer").read_text()
    calendar = re.search(r"OnCalendar=(.*)", timer)
    assert (
        calendar and subprocess.run(["systemd-analyze", "calendar", calendar[1]], capture_output=True).returncode == 0
    )
