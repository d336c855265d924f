"""Who is told of what: `notify.yaml` in the project's folder, and secrets from the environment."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from forecaster.config.data import Strict
from forecaster.config.project import Project
from forecaster.config.reading import read_file
from forecaster.errors import DefinitionError

__all__ = ["EventKind", "Mail", "NotifyDefinition", "Webhook", "read_notify"]

EventKind = Literal["failure", "missed", "drift", "promotion"]
EVERY: list[EventKind] = ["failure", "missed", "drift", "promotion"]
FILE = "notify.yaml"

Events = Annotated[list[EventKind], Field(min_length=1, description="of what to tell")]
Timeout = Annotated[PositiveFloat, Field(le=300, description="seconds to wait for the receiver")]


def _is_address(url: str) -> bool:
    return url.startswith(("http://", "https://")) and url.isprintable() and " " not in url


class Webhook(Strict):
    """A URL that is sent JSON by POST; Slack, Mattermost and Teams read its `text`.

    The URL may be left to the environment (FORECASTER_WEBHOOK_URL), since it often is a secret itself;
    FORECASTER_WEBHOOK_TOKEN, if it is set, is sent as a bearer token.
    """

    url: str | None = Field(default=None, description="http or https; FORECASTER_WEBHOOK_URL by default")
    events: Events = EVERY
    timeout: Timeout = 10.0

    @field_validator("url")
    @classmethod
    def _of_the_web(cls, url: str | None) -> str | None:
        if url is not None and not _is_address(url):
            raise ValueError(f"{url!r} is no address of the web; write https://…")
        return url


class Mail(Strict):
    """A mail server; the password comes from FORECASTER_SMTP_PASSWORD, never from a file."""

    server: str
    port: PositiveInt | None = Field(default=None, description="587 for starttls, 465 for tls, 25 for none by default")
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = Field(default=None, description="name to log in with; omit to send without")
    sender: str = Field(description="address that the mail comes from")
    to: Annotated[list[str], Field(min_length=1)]
    events: Events = EVERY
    timeout: Timeout = 10.0

    @field_validator("sender", "to")
    @classmethod
    def _addresses(cls, value: str | list[str]) -> str | list[str]:
        for address in [value] if isinstance(value, str) else value:
            if "@" not in address or any(letter in address for letter in "\r\n"):
                raise ValueError(f"{address!r} is no mail address")
        return value


class NotifyDefinition(Strict):
    """`notify.yaml`: any of the two."""

    webhook: Webhook | None = None
    mail: Mail | None = None


def read_notify(project: Project) -> NotifyDefinition:
    """What the project says, with what the environment adds.

    A webhook needs no file: FORECASTER_WEBHOOK_URL alone tells it of everything.

    Raises:
        DefinitionError: `notify.yaml` says something impossible, or a webhook has no URL anywhere.
    """
    path = project.root / FILE
    told = read_file(path, NotifyDefinition) if path.is_file() else NotifyDefinition()
    url = os.environ.get("FORECASTER_WEBHOOK_URL")
    webhook = told.webhook or (Webhook() if url else None)
    if webhook and webhook.url is None:
        if not url:
            raise DefinitionError(f"{path}: webhook: no url; write it there, or set FORECASTER_WEBHOOK_URL")
        if not _is_address(url):  # it may be a secret: do not show it
            raise DefinitionError("FORECASTER_WEBHOOK_URL is no address of the web; set it to https://…")
        webhook = webhook.model_copy(update={"url": url})
    return told.model_copy(update={"webhook": webhook})
