"""Structured logs: a line of JSON for each request and for each thing that happens."""

from __future__ import annotations

import itertools
import logging
import os
import re
import secrets
import sys
from datetime import UTC, datetime

import orjson

__all__ = ["JsonLines", "RequestIds", "log_to_stderr"]

ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
PACKAGE = "forecaster"
PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class RequestIds:
    """Ids of requests: the caller's if it is a harmless one, else a new one, of this server and a number that grows.

    Example:
        >>> ids = RequestIds()
        >>> ids.of("order-66"), len(ids.of("two words"))
        ('order-66', 16)
    """

    def __init__(self) -> None:
        self._start = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    def of(self, given: str) -> str:
        """The id of a request whose caller gave this one."""
        return given if ID.fullmatch(given) else f"{self._start}{next(self._numbers):08x}"


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time, level, event, and whatever was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Writes a record."""
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in PLAIN},
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        try:
            return orjson.dumps(told, default=str).decode()
        except (TypeError, ValueError):  # text that is no Unicode
            return orjson.dumps({key: ascii(value) for key, value in told.items()}).decode()


def log_to_stderr(quiet: bool = False) -> None:
    """Sends the log to standard error as lines of JSON, the package's own and what others warn of.

    A log file is written as before. The lines go their own way there, which stays open while standard error is turned
    away from what TensorFlow says.

    Args:
        quiet: Faults only.
    """
    stream = os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8")
    for name, level in ((PACKAGE, logging.INFO), ("", logging.WARNING)):
        handler = logging.StreamHandler(stream)
        handler.setFormatter(JsonLines())
        handler.setLevel(logging.ERROR if quiet else level)
        logger = logging.getLogger(name)
        logger.handlers = [handler, *(one for one in logger.handlers if isinstance(one, logging.FileHandler))]
    logging.getLogger(PACKAGE).propagate = False
