"""Someone must hear of it: a webhook and a mail on failure, on a missed slot, on drift and on promotion.

Configured by `notify.yaml` in the project's folder and the environment; see `forecaster.config.notify`. A receiver that
is dead, slow or says no is written to the log and never stops a run.
"""

from __future__ import annotations

import json
import logging
import os
import smtplib
import ssl
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from forecaster.config import Project
from forecaster.config.notify import EventKind, Mail, NotifyDefinition, Webhook, read_notify
from forecaster.errors import ForecasterError

__all__ = ["Event", "notify", "receivers", "send"]

logger = logging.getLogger(__name__)

PORTS = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True)
class Event:
    """Something that a person should hear of.

    Attributes:
        kind: `failure`, `missed` (slots of the schedule), `drift` or `promotion`.
        pipeline: Whose.
        text: What happened, in a sentence or two.
        details: More for programs, as for JSON.
        at: When.
    """

    kind: EventKind
    pipeline: str
    text: str
    details: dict[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def title(self) -> str:
        """One line: `forecaster: promotion of energy_demand`."""
        name = " ".join(self.pipeline.split())
        return f"forecaster: {self.kind} of {name}" if self.kind != "missed" else f"forecaster: {name} missed a slot"

    def to_dict(self) -> dict[str, Any]:
        """What a webhook is sent; `text` alone tells a person everything."""
        return {
            "text": f"{self.title}: {self.text}",
            "event": self.kind,
            "pipeline": self.pipeline,
            "at": self.at.isoformat(timespec="seconds"),
            "details": self.details,
        }


def notify(event: Event, project: Project) -> None:
    """Tells all who want to hear of such an event. It never raises, and waits for nobody longer than its timeout.

    Args:
        event: What happened.
        project: Whose `notify.yaml` says who is told.
    """
    try:
        for name, trouble in send(event, read_notify(project)).items():
            if trouble:
                logger.warning("%s: %s could not be told of a %s: %s", event.pipeline, name, event.kind, trouble)
    except ForecasterError as error:
        logger.warning("%s: nobody was told of a %s: %s", event.pipeline, event.kind, error)
    except Exception:  # whatever a receiver or a library does, a run that was done must be recorded as done
        logger.exception("%s: nobody was told of a %s", event.pipeline, event.kind)


def receivers(definition: NotifyDefinition) -> dict[str, Webhook | Mail]:
    """Who is to be told of anything, each under a name that holds no secret."""
    found: dict[str, Webhook | Mail] = {}
    if definition.webhook:
        found[f"webhook {urlsplit(str(definition.webhook.url)).hostname}"] = definition.webhook
    if definition.mail:
        found[f"mail to {', '.join(definition.mail.to)}"] = definition.mail
    return found


def send(event: Event, definition: NotifyDefinition) -> dict[str, str]:
    """Tells those who want to hear of such an event.

    Returns:
        By receiver what went wrong; empty text where all went well.
    """
    outcome = {}
    for name, receiver in receivers(definition).items():
        if event.kind in receiver.events:
            try:
                _post(event, receiver) if isinstance(receiver, Webhook) else _mail(event, receiver)
                outcome[name] = ""
            except (OSError, HTTPException, smtplib.SMTPException, ValueError) as error:
                outcome[name] = _without_secrets(f"{type(error).__name__}: {error}")
    return outcome


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A POST that is redirected would arrive as a GET without its content; say so instead."""

    def redirect_request(self, *arguments: Any, **keywords: Any) -> None:
        """Follows nothing."""
        return


def _post(event: Event, webhook: Webhook) -> None:
    content = json.dumps(event.to_dict(), default=str).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "forecaster"}
    if token := os.environ.get("FORECASTER_WEBHOOK_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(str(webhook.url), content, headers, method="POST")
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=webhook.timeout):
        pass


def _mail(event: Event, mail: Mail) -> None:
    message = EmailMessage()
    message["Subject"] = event.title
    message["From"], message["To"] = mail.sender, ", ".join(mail.to)
    message["Date"], message["Message-ID"] = format_datetime(event.at), make_msgid(domain="forecaster.invalid")
    details = json.dumps(event.details, indent=2, default=str, ensure_ascii=False)
    message.set_content(f"{event.text}\n\nWhen: {event.at:%Y-%m-%d %H:%M:%S} UTC\n\n{details}\n")
    port, context = mail.port or PORTS[mail.security], ssl.create_default_context()
    if mail.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(mail.server, port, timeout=mail.timeout, context=context)
    else:
        server = smtplib.SMTP(mail.server, port, timeout=mail.timeout)
    with server:
        if mail.security == "starttls":
            server.starttls(context=context)
        if mail.user:
            server.login(mail.user, os.environ.get("FORECASTER_SMTP_PASSWORD", ""))
        server.send_message(message)


def _without_secrets(text: str) -> str:
    for name in ("FORECASTER_SMTP_PASSWORD", "FORECASTER_WEBHOOK_TOKEN", "FORECASTER_WEBHOOK_URL"):
        if secret := os.environ.get(name):
            text = text.replace(secret, f"<{name}>")
    return text
