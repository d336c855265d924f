"""What a server refuses, and with which HTTP status."""

from __future__ import annotations

import orjson

from forecaster.errors import ForecasterError

__all__ = ["Refused", "error_body", "status_of"]

LONGEST = 2_000
"""Characters of an error's message; values from the request may be quoted in it."""


class Refused(ForecasterError):  # noqa: N818 - most are no faults of ours
    """A request that is not answered as asked: says what was found and what to send instead.

    Args:
        status: HTTP's.
        message: For the client.
        retry_after: Seconds after which another try makes sense.
    """

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


def status_of(error: ForecasterError) -> int:
    """The HTTP status of an error: its own, 400 for bad input, 500 for a fault on our side."""
    if isinstance(error, Refused):
        return error.status
    return 400 if error.exit_code == ForecasterError.exit_code else 500


def error_body(message: str) -> bytes:
    r"""TensorFlow Serving's error object.

    Example:
        >>> error_body("no model 'a'")
        b'{"error":"no model \'a\'"}'
    """
    shown = message if len(message) <= LONGEST else message[:LONGEST] + "…"
    return orjson.dumps({"error": shown.encode("utf-8", "backslashreplace").decode()})
