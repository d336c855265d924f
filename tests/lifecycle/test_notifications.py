"""Events arrive at a real web server and a real mail server on loopback; dead ones are written to the log."""

import json
import logging
import socket
import threading
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import yaml

from forecaster.config import Project
from forecaster.config.notify import read_notify
from forecaster.errors import DefinitionError
from forecaster.lifecycle.notifications import Event, notify, send

EVENT = Event("promotion", "energy_demand", "lstm is significantly better", {"version": 3, "p": 0.01})


@contextmanager
def web_server(status=200):
    """A web server; yields its URL and the requests that it got."""
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            content = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, dict(self.headers), json.loads(content)))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def mail_server(**options):
    """A mail server; yields its port and the mails that it got."""
    controller = pytest.importorskip("aiosmtpd.controller", reason="aiosmtpd is not installed (extra test)")
    got = []

    class Handler:
        async def handle_DATA(self, server, session, envelope):
            got.append(envelope)
            return "250 OK"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = controller.Controller(Handler(), hostname="127.0.0.1", port=port, **options)
    server.start()
    try:
        yield port, got
    finally:
        server.stop()


def project_with(folder, **told):
    (folder / "notify.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    return Project(folder)


def test_a_webhook_gets_text_for_people_and_the_rest_for_programs(tmp_path, monkeypatch):
    monkeypatch.setenv("FORECASTER_WEBHOOK_TOKEN", "s3cret")
    with web_server() as (url, got):
        notify(EVENT, project_with(tmp_path, webhook={"url": url}))
    path, headers, told = got[0]
    assert path == "/hook"
    assert headers["Authorization"] == "Bearer s3cret"
    assert told["text"] == "forecaster: promotion of energy_demand: lstm is significantly better"
    assert (told["event"], told["pipeline"], told["details"]["version"]) == ("promotion", "energy_demand", 3)


def test_a_webhook_from_the_environment_needs_no_file(tmp_path, monkeypatch):
    with web_server() as (url, got):
        monkeypatch.setenv("FORECASTER_WEBHOOK_URL", url)
        notify(EVENT, Project(tmp_path))
    assert len(got) == 1


def test_a_mail_arrives_with_its_subject_and_all_details(tmp_path, monkeypatch):
    monkeypatch.setenv("FORECASTER_SMTP_PASSWORD", "s3cret")
    logins = []

    def login(server, session, envelope, mechanism, data):
        from aiosmtpd.smtp import AuthResult

        logins.append((data.login, data.password))
        return AuthResult(success=True)

    mail = {"security": "none", "sender": "a@example.org", "to": ["b@example.org", "c@example.org"], "user": "night"}
    with mail_server(authenticator=login, auth_require_tls=False) as (port, got):
        notify(EVENT, project_with(tmp_path, mail={"server": "127.0.0.1", "port": port, **mail}))
    message = message_from_bytes(got[0].content, policy=default)
    assert message["Subject"] == "forecaster: promotion of energy_demand"
    assert got[0].rcpt_tos == ["b@example.org", "c@example.org"]
    assert "lstm is significantly better" in message.get_content() and '"version": 3' in message.get_content()
    assert logins == [(b"night", b"s3cret")]


def test_only_the_events_that_were_asked_for_are_told(tmp_path):
    with web_server() as (url, got):
        project = project_with(tmp_path, webhook={"url": url, "events": ["failure"]})
        notify(EVENT, project)
        notify(Event("failure", "energy_demand", "the fit was killed"), project)
    assert [told["event"] for _, _, told in got] == ["failure"]


@contextmanager
def silent_server():
    """Accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("kind", ["webhook", "mail"])
@pytest.mark.parametrize("state", ["dead", "silent"])
def test_a_receiver_that_does_not_answer_is_logged_and_stops_nobody(tmp_path, caplog, kind, state):
    with silent_server() as port:
        pass  # nobody listens there any more
    with silent_server() as listening:
        port = listening if state == "silent" else port
        webhook = {"url": f"http://127.0.0.1:{port}/", "timeout": 0.2}
        mail = {"server": "127.0.0.1", "port": port, "sender": "a@b", "to": ["c@d"], "timeout": 0.2}
        with caplog.at_level(logging.WARNING, "forecaster"):
            notify(EVENT, project_with(tmp_path, **{kind: {"webhook": webhook, "mail": mail}[kind]}))
    assert f"energy_demand: {kind}" in caplog.text and "could not be told of a promotion" in caplog.text


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_receiver_that_refuses_is_logged_and_the_others_are_told(tmp_path, caplog, status):
    mail = {"server": "127.0.0.1", "security": "none", "sender": "a@b", "to": ["c@d"]}
    with web_server(status) as (url, _), mail_server() as (port, mails), caplog.at_level(logging.WARNING, "forecaster"):
        notify(EVENT, project_with(tmp_path, webhook={"url": url}, mail={**mail, "port": port}))
    assert str(status) in caplog.text
    assert len(mails) == 1


def test_a_mail_is_never_sent_in_the_clear_to_a_server_that_should_speak_tls(tmp_path):
    mail = {"server": "127.0.0.1", "sender": "a@b", "to": ["c@d"], "user": "night"}
    with mail_server() as (port, got):
        outcome = send(EVENT, read_notify(project_with(tmp_path, mail={**mail, "port": port})))
    assert got == [] and "STARTTLS" in outcome["mail to c@d"]


@pytest.mark.parametrize(
    ("told", "fragment"),
    [
        ({"webhook": {"url": "ftp://x"}}, "is no address of the web"),
        ({"webhook": {}}, "set FORECASTER_WEBHOOK_URL"),
        ({"mail": {"server": "x", "sender": "a", "to": ["c@d"]}}, "'a' is no mail address"),
        ({"mail": {"server": "x", "sender": "a@b", "to": ["c@d"], "password": "1"}}, "password"),
        ({"webhook": {"url": "http://x", "events": ["promoted"]}}, "promotion"),
    ],
)
def test_what_is_wrong_with_the_file_is_said_and_stops_nobody(tmp_path, caplog, told, fragment):
    project = project_with(tmp_path, **told)
    with pytest.raises(DefinitionError, match=fragment):
        read_notify(project)
    with caplog.at_level(logging.WARNING, "forecaster"):
        notify(EVENT, project)
    assert "nobody was told" in caplog.text


def test_secrets_do_not_stand_in_the_log(tmp_path, monkeypatch):
    with silent_server() as port:
        pass
    monkeypatch.setenv("FORECASTER_WEBHOOK_URL", f"http://127.0.0.1:{port}/T0/s3cret")
    outcome = send(EVENT, read_notify(Project(tmp_path)))
    assert "s3cret" not in str(outcome) and "refused" in outcome["webhook 127.0.0.1"]
    monkeypatch.setenv("FORECASTER_WEBHOOK_URL", "http://127.0.0.1/s3cret path")
    with pytest.raises(DefinitionError, match="FORECASTER_WEBHOOK_URL is no address") as refused:
        read_notify(Project(tmp_path))
    assert "s3cret" not in str(refused.value)
