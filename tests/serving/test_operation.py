"""Metrics, logs, the OpenAPI document, and how a server is watched."""

import json
import logging
import os
import sys
import time
from dataclasses import asdict

import pytest

from forecaster.cli.console import logging_to
from forecaster.forecasting.starting import native_chatter_off
from forecaster.serving.app import Server
from forecaster.serving.document import document
from forecaster.serving.front import route_of
from forecaster.serving.journal import JsonLines, RequestIds, log_to_stderr
from forecaster.serving.settings import Limits, Settings
from tests.serving.published import window


def samples(live):
    lines = live.client.get("/metrics").text.splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_metrics_count_what_was_asked(live):
    key = 'forecaster_requests_total{model="walk",route="predict",status="200"}'
    before = float(samples(live).get(key, 0))
    for _ in range(3):
        live.client.post("/v1/models/walk:predict", json={"instances": window(1.0).tolist()})
    live.client.post("/v1/models/unheard-of:predict", json={})
    live.client.get("/unheard/of")
    after = samples(live)
    assert float(after[key]) == before + 3
    assert float(after["forecaster_call_rows_count"]) >= 3
    assert after['forecaster_version_loaded{label="champion",model="walk",version="2"}'] == "1.0"
    assert float(after["forecaster_queue_requests"]) == 0
    assert not [name for name in after if "unheard" in name], "a label holds what a stranger sent"


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v1/models/a/versions/3:predict", "predict"), ("/V1/models/a:PREDICT", "predict"),
        ("/v1/models/a/metadata", "metadata"), ("/v1/models/a", "status"), ("/v1/x", "status"),
        ("/api/stream/a", "stream"), ("/api/secret", "other"), ("/api/\ufffd", "other"), ("/", ""),
        ("/metrics", "metrics"), ("/metrics/x", "other"), ("/admin", "other"),
    ],
)  # fmt: skip
def test_paths_have_few_names(path, route):
    assert route_of(path) == route


def test_a_path_counts_as_what_answers_it_however_it_is_written(live):
    key = 'forecaster_requests_total{model="",route="forecast",status="404"}'
    before = float(samples(live).get(key, 0))
    live.client.post("/%61pi/forecast/unheard-of")
    live.client.post("/api%2fforecast/unheard-of")
    assert float(samples(live)[key]) == before + 2


@pytest.mark.parametrize("path", ["/", "/healthz", "/openapi.json", "/v1/models/walk", "/v1/models/walk/metadata"])
def test_head_is_get_without_the_body(live, path, caplog):
    with caplog.at_level(logging.INFO, logger="forecaster.serving"):
        told, whole = live.client.head(path, headers={"X-Request-ID": "head-1"}), live.client.get(path)
    assert (told.status_code, told.content) == (200, b"")
    for name in ("content-type", "content-length"):
        assert told.headers[name] == whole.headers[name]
    lines = [vars(record) for record in caplog.records if getattr(record, "request_id", "") == "head-1"]
    assert [(line["method"], line["bytes"]) for line in lines] == ([("HEAD", 0)] if path != "/healthz" else [])


def test_head_is_refused_where_get_is(live):
    assert live.client.head("/v1/models/walk:predict").status_code == 400
    assert live.client.head("/api/forecast/walk").status_code == 405
    assert live.client.head("/nowhere").status_code == 404


def test_a_log_record_is_one_line_of_json_whatever_it_holds():
    record = logging.makeLogRecord({"msg": "served %s", "args": ("a\nb",), "levelname": "INFO", "model": "m", "n": 3})
    line = JsonLines().format(record)
    assert "\n" not in line
    told = json.loads(line)
    assert (told["event"], told["level"], told["model"], told["n"]) == ("served a\nb", "info", "m", 3)
    assert "msg" not in told
    assert json.loads(JsonLines().format(logging.makeLogRecord({"msg": "x", "reason": "\ud800"})))["reason"]


@pytest.mark.parametrize("quiet", [False, True])
def test_all_of_the_log_is_json_and_a_quiet_one_holds_faults_only(tmp_path, capfd, monkeypatch, quiet):
    ours = logging.getLogger("forecaster")
    for logger, part, begin in ((logging.root, "handlers", []), (ours, "handlers", []), (ours, "propagate", True)):
        monkeypatch.setattr(logger, part, begin)
    monkeypatch.setattr(sys, "stderr", os.fdopen(2, "w", closefd=False))
    logging_to(verbose=False, file=tmp_path / "log")
    log_to_stderr(quiet)
    with native_chatter_off():
        logging.getLogger("forecaster.serving").info("served")
    logging.getLogger("forecaster.forecasting.gap").warning("%d steps were not observed", 9)
    logging.getLogger("asyncio").error("a fault")
    events = [json.loads(line)["event"] for line in capfd.readouterr().err.splitlines()]
    assert events == (["a fault"] if quiet else ["served", "9 steps were not observed", "a fault"])
    assert "9 steps" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("given", ["", "a b", "a\nb", "x" * 65, "é"])
def test_an_id_that_is_no_harmless_word_is_replaced(given):
    ids = RequestIds()
    assert ids.of(given) != given
    assert ids.of(given) != ids.of(given)


def test_requests_are_logged_with_their_id(live, caplog):
    with caplog.at_level(logging.INFO, logger="forecaster.serving"):
        live.client.post("/v1/models/none:predict", content=b"{}", headers={"X-Request-ID": "abc-1"})
        live.client.get("/healthz")
    told = [vars(record) for record in caplog.records if record.name == "forecaster.serving"]
    mine = [one for one in told if one.get("request_id") == "abc-1"]
    assert [(one["status"], one["method"]) for one in mine] == [(404, "POST")]
    assert "none" in mine[0]["reason"]
    assert not [one for one in told if one.get("path") == "/healthz"]


def test_a_fault_is_an_error_object_and_the_log_has_it(project, caplog, monkeypatch):
    from tests.serving.live import serving

    with serving(project) as live:
        monkeypatch.setattr(live.server.models, "lease", lambda wanted: 1 / 0)
        for path in ("/v1/models/walk:predict", "/api/forecast/walk"):
            with caplog.at_level(logging.ERROR, logger="forecaster.serving"):
                answer = live.client.post(path, content=b"{}", headers={"X-Request-ID": "bad-1"})
                until = time.monotonic() + 10
                while "ZeroDivisionError" not in caplog.text and time.monotonic() < until:
                    time.sleep(0.01)  # the line is written after the answer has been sent
            assert (answer.status_code, list(answer.json())) == (500, ["error"])
            assert "bad-1" in answer.json()["error"] and "ZeroDivision" not in answer.text
            assert "ZeroDivisionError" in caplog.text
            caplog.clear()


def test_the_openapi_document_knows_every_route(live):
    told = live.client.get("/openapi.json").json()
    paths = set(told["paths"])
    assert paths >= {
        "/v1/models/{model}:predict", "/v1/models/{model}/versions/{version}:predict", "/v1/models/{model}/metadata",
        "/v1/models/{model}", "/api/forecast/{name}", "/api/stream/{name}", "/healthz", "/readyz", "/metrics",
    }  # fmt: skip
    assert "422" not in json.dumps(told)
    references = {part.split('"')[0] for part in json.dumps(told).split('"#/components/schemas/')[1:]}
    assert references <= set(told["components"]["schemas"])


def test_the_document_is_made_once(project):
    server = Server(project)
    inner = server._inner()
    assert document(inner) is document(inner)
    server.executor.stop()


def test_loopback_is_local_and_nothing_else():
    hosts = {"127.0.0.1": True, "127.5.6.7": True, "::1": True, "localhost": True, "0.0.0.0": False, "::": False,
             "10.0.0.1": False, "example.com": False, "": False}  # fmt: skip
    assert {host: Settings(host=host).local for host in hosts} == hosts
    assert all(value > 0 for value in asdict(Limits()).values())
