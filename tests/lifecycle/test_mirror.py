"""The mirror against a real MLflow server on loopback, from an environment of its own."""

import logging
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from forecaster.lifecycle.mirror import MLflow, mirror
from forecaster.lifecycle.result import RetrainResult
from forecaster.store import Store
from tests.store.fake_publisher import draft, write


def program():
    """MLflow's program: FORECASTER_TEST_MLFLOW, or the one on the path."""
    return os.environ.get("FORECASTER_TEST_MLFLOW") or shutil.which("mlflow")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A server's address."""
    if not program():
        pytest.skip("no mlflow program: install it in an environment of its own and set FORECASTER_TEST_MLFLOW to it")
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program(), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        str(folder / "files"),
    ]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"  # its own jobs are none of ours, and take processes
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder, start_new_session=True)
    try:
        wait(f"http://127.0.0.1:{port}/health", server, folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, 9)
        server.wait()


def wait(url, server, log):
    """Until the server answers: it takes ten seconds of a processor, and many more where others use it, too."""
    deadline = time.monotonic() + 400
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(url, timeout=5).read()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(log.read_text())


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def champion(store):
    with store.stage("energy") as staging:
        write(staging.folder, "new")
        return store.publish(staging, draft())


def challenger(store):
    with store.stage("energy") as staging:
        write(staging.folder, "lost")
        return store.challengers.keep(staging, draft())


def result(**changes):
    scores = {"test": [{"model": "lstm", "mase": 0.7, "p": None}, {"model": "naive", "mase": 1.1}]}
    told = {"outcome": "promoted", "reason": "better", "version": 1, "p": 0.01, "scores": scores, "data_hash": "abc"}
    return RetrainResult(**{**told, "seconds": 2.0, **changes})


def test_a_run_its_files_and_the_aliases_arrive(address, store, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    mirror("energy", result(), champion(store))
    mirror("energy", result(outcome="kept", version=None), challenger(store))
    server = MLflow(address)
    version = server._call("registered-models/alias?name=energy&alias=champion")["model_version"]
    assert version["version"] == "1" and {"key": "forecaster_version", "value": "1"} in version["tags"]
    assert server._call("registered-models/alias?name=energy&alias=challenger")["model_version"]["version"] == "2"
    run = server._call(f"runs/get?run_id={version['run_id']}")["run"]
    assert {one["key"]: one["value"] for one in run["data"]["metrics"]}["lstm.mase"] == 0.7
    assert {one["key"]: one["value"] for one in run["data"]["tags"]}["outcome"] == "promoted"
    assert run["info"]["status"] == "FINISHED"
    listed = server._call(f"artifacts/list?run_id={version['run_id']}&path=model/served")
    assert "model/served/saved_model.pb" in [one["path"] for one in listed["files"]]


def test_a_dead_server_is_logged_and_stops_nobody(monkeypatch, caplog, store):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    with caplog.at_level(logging.WARNING, "forecaster"):
        mirror("energy", result(), None)
    assert "energy: MLflow could not be told of this run" in caplog.text


def test_without_a_server_nothing_is_done(monkeypatch, caplog):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    mirror("energy", result(), None)
    assert caplog.text == "" and not Path("mlruns").exists()
