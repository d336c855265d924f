"""What a client may not do: too large, too slow, malformed, too many; and what happens to those who leave."""

import gzip
import http.client
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest

from forecaster.config import Project
from forecaster.serving.settings import Settings
from tests.serving.live import serving
from tests.serving.published import window

ROW = json.dumps({"instances": window(7.0).tolist()}).encode()
PREDICT = "/v1/models/walk:predict"


@pytest.fixture(scope="module")
def strict(project):
    """A server that has little patience."""
    limits = {
        "body": 2000, "elements": 200, "header_seconds": 0.4, "body_seconds": 0.4, "idle_seconds": 0.4,
        "connections": 8, "header_bytes": 4000,
    }  # fmt: skip
    with serving(project, **limits) as live:
        yield live


def talk(live, *parts, pause=0.0):
    """Sends bytes, and returns what comes until the connection is closed."""
    with closing(socket.create_connection(("127.0.0.1", live.port), timeout=20)) as connection:
        for part in parts:
            try:
                connection.sendall(part)
            except OSError:
                break
            time.sleep(pause)
        found = b""
        try:
            while part := connection.recv(65536):
                found += part
        except OSError:
            pass
        return found


def post(body, *headers, length=None):
    told = [f"Content-Length: {len(body) if length is None else length}", "Host: localhost", *headers]
    return f"POST {PREDICT} HTTP/1.1\r\n".encode() + "\r\n".join(told).encode() + b"\r\n\r\n" + body


def status(answer):
    return int(answer.split(b" ", 2)[1]) if answer else None


def test_a_body_that_is_too_large_is_413_by_its_length_and_as_it_comes(strict):
    answer = talk(strict, post(b"", length=2001))
    assert status(answer) == 413 and b"text/csv" in answer and b"--max-body" in answer
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [b" " * 900] * 4) + b"0\r\n\r\n"
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    assert status(talk(strict, head + chunks)) == 413
    bomb = gzip.compress(b" " * 10_000_000)
    assert len(bomb) > 2000 or status(talk(strict, post(bomb, "Content-Encoding: gzip"))) == 413
    small_bomb = gzip.compress(b" " * 100_000)
    assert len(small_bomb) < 2000
    assert status(talk(strict, post(small_bomb, "Content-Encoding: gzip"))) == 413
    assert status(talk(strict, post(b'{"instances": [' + b"1," * 300 + b"1]}"))) == 413


@pytest.mark.parametrize(
    ("body", "header", "expected"),
    [
        (b"no gzip", "Content-Encoding: gzip", 400),
        (gzip.compress(ROW, mtime=0)[:-5], "Content-Encoding: gzip", 400),
        (gzip.compress(ROW, mtime=0) + b"more", "Content-Encoding: gzip", 400),
        (ROW, "Content-Encoding: br", 415),
        (ROW, "Content-Length: abc", 400),
        (ROW, "Content-Length: -5", 400),
        (ROW, "Content-Length: 5", 400),
        (ROW, "Transfer-Encoding: chunked", 400),
        (ROW, "X: " + "y" * 5000, 431),
    ],
    ids=lambda part: str(part)[:40],
)
def test_malformed_bodies_and_headers(strict, body, header, expected):
    answer = talk(strict, post(body, header))
    assert status(answer) == expected
    assert b'{"error":' in answer


@pytest.mark.parametrize(
    "noise", [b"\x00\x01\x02\r\n\r\n", b"HELLO\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02"]
)
def test_what_is_no_http_gets_400_or_is_cut(strict, noise):
    assert status(talk(strict, noise)) in (400, None)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], None),  # a connection that never says anything
        ([b"GET /healthz HTTP/1.1\r\n", b"Host: local"], None),  # headers that never end
        ([post(b"", length=100), b"["], 408),  # a body that never ends
    ],
)
def test_who_dawdles_is_cut_off(strict, parts, expected):
    assert status(talk(strict, *parts)) == expected


def test_slow_drops_of_headers_do_not_buy_time(strict):
    start = time.monotonic()
    assert talk(strict, b"GET /healthz HTTP/1.1\r\n", *[b"X-A: b\r\n"] * 40, pause=0.05) == b""
    assert time.monotonic() - start < 20


def test_an_idle_connection_is_closed_after_its_answer(strict):
    answer = talk(strict, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")  # until the server closes
    assert status(answer) == 200


def test_too_many_connections_are_refused_and_the_server_recovers(strict, caplog):
    held = [socket.create_connection(("127.0.0.1", strict.port), timeout=20) for _ in range(12)]
    with caplog.at_level(logging.INFO, logger="forecaster.serving"):
        answer = talk(strict, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: late-1\r\n\r\n")
    head, body = answer.split(b"\r\n\r\n")
    assert status(head) == 503
    assert json.loads(body) == {"error": "too many connections at the same time; try again"}
    for told in (b"retry-after: 1", b"x-request-id: late-1", b"x-content-type-options: nosniff", b"connection: close"):
        assert told in head.split(b"\r\n")
    lines = [vars(record) for record in caplog.records if getattr(record, "request_id", "") == "late-1"]
    assert [(line["status"], line["reason"]) for line in lines] == [(503, json.loads(body)["error"])]
    for connection in held:
        connection.close()
    for _ in range(100):
        answer = talk(strict, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        if status(answer) == 200:
            break
    assert status(answer) == 200


def test_the_largest_body_has_room_whatever_the_memory(project):
    with serving(project, body=3000, memory=1000) as live:
        assert live.client.post(PREDICT, content=ROW + b" " * 2500).status_code == 200


@pytest.mark.parametrize("packing", ["identity", "gzip"])
def test_a_body_counts_until_its_request_has_ended(project, monkeypatch, packing):
    body = json.dumps({"observations": [{"ds": "2024-05-01", "y": 1.0}]}).encode() + b" " * 2500
    sent = gzip.compress(body) if packing == "gzip" else body
    begun, may_end = threading.Semaphore(0), threading.Event()

    def post(live):
        return httpx.post(
            live.url + "/api/forecast/walk", content=sent, headers={"Content-Encoding": packing}, timeout=30
        ).status_code

    with serving(project, body=3000, memory=6000) as live, ThreadPoolExecutor() as clients:
        whole = live.server.forecasts.answered

        def slow(*told):
            begun.release()
            may_end.wait(3)
            return whole(*told)

        monkeypatch.setattr(live.server.forecasts, "answered", slow)
        held = [clients.submit(post, live) for _ in range(2)]
        for _ in held:
            begun.acquire()
        refused = post(live)
        may_end.set()
        assert (refused, [one.result() for one in held]) == (503, [200, 200])
        assert [post(live) for _ in range(3)] == [200] * 3


def test_clients_that_leave_harm_nobody(strict):
    for cut in (10, 60, len(post(ROW)) - 5, len(post(ROW))):
        for _ in range(3):
            with closing(socket.create_connection(("127.0.0.1", strict.port), timeout=20)) as connection:
                connection.sendall(post(ROW)[:cut])
    for _ in range(100):
        answer = talk(strict, post(ROW, "Connection: close"))
        if status(answer) == 200:
            break
    assert status(answer) == 200
    until = time.monotonic() + 30
    while any(one.users for one in strict.server.models.loaded("walk").values()) and time.monotonic() < until:
        time.sleep(0.01)  # requests of clients that have left may still be answered
    assert all(one.users == 0 for one in strict.server.models.loaded("walk").values())
    assert strict.server.executor.waiting() == 0


def test_an_expired_deadline_is_504(project):
    with serving(project, deadline=1e-6) as live:
        answer = live.client.post(PREDICT, content=ROW)
        assert (answer.status_code, list(answer.json())) == (504, ["error"])


def test_pages_of_others_cannot_talk_to_a_local_server(live):
    """A name that somebody points at 127.0.0.1 makes no local page of theirs."""
    assert live.client.get("/readyz", headers={"Host": "evil.example:8501"}).status_code == 403
    assert live.client.post(PREDICT, content=ROW, headers={"Host": "localhost"}).status_code == 200
    assert "access-control-allow-origin" not in live.client.get("/readyz", headers={"Origin": "http://a.b"}).headers


def test_an_open_server_wants_its_token_for_the_api(project):
    body = {"observations": [{"ds": "2024-05-01", "y": 1.0}]}
    with serving(project, Settings(host="0.0.0.0", token="s3cret")) as live:
        assert live.client.post(PREDICT, content=ROW).status_code == 200
        assert live.client.get("/readyz", headers={"Host": "forecasts.example"}).status_code == 200
        for path in ("/api/forecast/walk", "/api/stream/walk"):
            assert live.client.post(path, json=body).status_code == 401
            wrong = {"Authorization": "Bearer s3cre\u00e9".encode("latin-1")}
            assert live.client.post(path, json=body, headers=wrong).status_code == 401
        right = {"Authorization": "Bearer s3cret"}
        assert live.client.post("/api/forecast/walk", json=body, headers=right).status_code == 200
    with serving(project, Settings(host="0.0.0.0")) as live:
        answer = live.client.post("/api/forecast/walk", json=body)
        assert (answer.status_code, "FORECASTER_TOKEN" in answer.json()["error"]) == (403, True)


@pytest.mark.parametrize(("token", "expected"), [("s3cret", 401), (None, 403)])
def test_the_token_is_asked_for_however_a_path_is_written(project, token, expected):
    paths = [
        "/%61pi/forecast/walk", "/api%2fforecast/walk", "/%61pi/stream/walk", "/%61pi/outlook/walk",
        "/API/forecast/walk", "//api/forecast/walk", "/./api/forecast/walk", "/nowhere", "/",
    ]  # fmt: skip
    with serving(project, Settings(host="0.0.0.0", token=token)) as live:
        for method, path in [("POST", path) for path in paths] + [
            ("PUT", "/api/forecast/walk"),
            ("DELETE", "/healthz"),
        ]:
            connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=30)
            connection.request(method, path)  # as it stands, unlike other clients
            assert connection.getresponse().status == expected, (method, path)
            connection.close()
        assert live.client.head("/healthz").status_code == 200
        assert live.client.head("/pipelines/walk").status_code == 200


@pytest.mark.parametrize("coding", ["utf-8", "latin-1"])  # curl's, and that of browsers and Python
def test_a_token_may_hold_any_letters(project, coding):
    with serving(project, Settings(host="0.0.0.0", token="clé à")) as live:
        for shown, expected in (("clé à", 200), ("clê à", 401), ("clé", 401)):
            headers = {"Authorization": b"Bearer " + shown.encode(coding)}
            assert live.client.post("/api/forecast/walk", headers=headers).status_code == expected


@pytest.fixture
def process(project):
    """`forecaster serve` in a process of its own, and its address."""
    command = [
        sys.executable,
        "-m",
        "forecaster",
        "--project",
        str(project.root),
        "serve",
        "--port",
        "0",
        "--poll",
        "60",
    ]
    told = {name: text for name, text in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"} | {"COLUMNS": "200"}
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=told)
    address = re.search(r"http://\S+:\d+", running.stdout.readline()).group()
    yield running, address
    running.kill()
    running.communicate()


def test_sigterm_lets_requests_under_way_finish(process):
    running, address = process
    port = int(address.rsplit(":", 1)[1])
    with httpx.Client(base_url=address, timeout=60) as client:
        while client.get("/readyz").status_code != 200:
            time.sleep(0.2)
    request = post(ROW, "Expect: 100-continue")
    with closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as connection:
        connection.sendall(request[:-10])
        assert connection.recv(65536).startswith(b"HTTP/1.1 100")  # now the request is under way
        running.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        connection.sendall(request[-10:])
        answer = b""
        while part := connection.recv(65536):
            answer += part
    assert status(answer) == 200
    assert running.wait(30) == 0
    lines = [json.loads(line) for line in running.stderr.read().splitlines()]
    assert lines[-1]["path"] == PREDICT and lines[-1]["request_id"] and lines[-1]["version"] == 2


def test_the_command_says_what_is_wrong(tmp_path):
    def told(*options):
        command = [sys.executable, "-m", "forecaster", "--project", str(tmp_path), "serve", *options]
        return subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"}, timeout=120
        )

    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        answer = told("--port", str(taken.getsockname()[1]))
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "choose others with --host and --port" in " ".join(answer.stderr.split())


def test_the_project_is_looked_for_as_elsewhere(tmp_path):
    from forecaster.errors import ForecasterError
    from forecaster.serving.running import listen

    assert Project(tmp_path).store == tmp_path / "models" / "store"
    for settings in (Settings(host="no.such.host.invalid"), Settings(host="203.0.113.7"), Settings(port=99999)):
        with pytest.raises(ForecasterError, match="--host and --port"):
            listen(settings)
