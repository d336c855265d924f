"""TensorFlow Serving's REST protocol: predict, status and metadata below `/v1/models`.

Paths are taken apart before they are decoded, and a name is only ever looked up among the loaded models: no part of a
path reaches the file system.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, unquote

import orjson

from forecaster.serving.answers import Answer
from forecaster.serving.decoding import decode
from forecaster.serving.encoding import encode
from forecaster.serving.executor import Executor
from forecaster.serving.failures import Refused
from forecaster.serving.models import Models, Wanted
from forecaster.serving.settings import Limits
from forecaster.serving.threads import apart

__all__ = ["PREFIX", "Protocol", "Seen"]

PREFIX = b"/v1/"
NAME = r"/v1/models/([^/:]+)"
WHICH = r"(?:/versions/([0-9]+)|/labels/([^/:]+))?"
POST = re.compile(rf"(?i){NAME}{WHICH}:(classify|regress|predict)".encode())
GET = re.compile(rf"(?i){NAME}{WHICH}(?:/(metadata))?".encode())
LARGEST = 2**63 - 1
"""Version numbers are 64-bit integers."""

Seen = Callable[[str, int], None]
"""Told the model and the version that a request was answered by, for log and metrics."""


class Protocol:
    """Answers what is asked below `/v1/`.

    Args:
        models: What is served.
        executor: Runs it.
        limits: Of bodies and time.
    """

    def __init__(self, models: Models, executor: Executor, limits: Limits) -> None:
        self._models, self._executor, self._limits = models, executor, limits

    async def answer(
        self, method: str, path: bytes, query: bytes, read: Callable[[], Awaitable[bytes]], seen: Seen
    ) -> Answer:
        """Answers one request.

        Args:
            method: HTTP's.
            path: As it was sent, before decoding.
            query: What stands behind the question mark.
            read: Reads the body.
            seen: Is told which version answers.

        Raises:
            Refused: What TensorFlow Serving refuses, with its status.
        """
        if method == "POST" and (parts := POST.fullmatch(path)):
            if parts[4].lower() != b"predict":
                raise Refused(400, f"no signature of this model is for {parts[4].decode().lower()}; use :predict")
            return await self._predict(_wanted(parts), _strict(query), await read(), seen)
        if method == "GET" and (parts := GET.fullmatch(path)):
            wanted = _wanted(parts)
            return self._metadata(wanted, seen) if parts[4] else self.status(wanted)
        if method == "GET" and path.rstrip(b"/").lower() == b"/v1/models":
            raise Refused(400, "Missing model name in request.")
        raise Refused(400, f"Malformed request: {method} {path.decode('ascii', 'backslashreplace')[:300]}")

    async def _predict(self, wanted: Wanted, strict: bool, body: bytes, seen: Seen) -> Answer:
        until = time.monotonic() + self._limits.deadline
        with self._models.lease(wanted) as loaded:
            seen(wanted.name, loaded.number)
            take_apart = (body, loaded.model.signatures, self._limits, strict)
            request = await apart(len(body), decode, *take_apart)
            future = self._executor.submit(loaded.model, request.signature, request.inputs, request.rows, until)
            try:
                async with asyncio.timeout(self._limits.deadline):
                    outputs = await asyncio.wrap_future(future)
            except TimeoutError:
                raise Refused(504, f"no answer within {self._limits.deadline:g} s; send fewer rows") from None
            size = sum(part.size for part in outputs.values())
            return Answer(await apart(8 * size, encode, outputs, request.by_row, strict))

    def status(self, wanted: Wanted) -> Answer:
        """The versions of a model and how they fare.

        Raises:
            Refused: 404; there is no such model or version.
        """
        states = {number: _state("AVAILABLE") for number in self._models.loaded(wanted.name)}
        for number, reason in self._models.failures(wanted.name).items():
            states[number] = _state("END", "UNKNOWN", reason)
        if wanted.label is not None:
            with self._models.lease(wanted) as loaded:
                states = {loaded.number: _state("AVAILABLE")}
        elif wanted.number is not None:
            if wanted.number not in states:
                raise Refused(404, f"Could not find version {wanted.number} of model {wanted.name}")
            states = {wanted.number: states[wanted.number]}
        if not states:
            raise Refused(404, f"Could not find any versions of model {wanted.name}")
        found = [{"version": str(number), **states[number]} for number in sorted(states, reverse=True)]
        return _json({"model_version_status": found})

    def _metadata(self, wanted: Wanted, seen: Seen) -> Answer:
        with self._models.lease(wanted) as loaded:
            seen(wanted.name, loaded.number)
            spec = {"name": wanted.name, "signature_name": "", "version": str(loaded.number)}
            definitions = {"signature_def": {"signature_def": loaded.model.metadata}}
            return _json({"model_spec": spec, "metadata": definitions})


def _wanted(parts: re.Match[bytes]) -> Wanted:
    name, number, label = parts[1], parts[2], parts[3]
    if number is not None and (len(number) > 30 or int(number) > LARGEST):
        raise Refused(400, f"Failed to convert version: {number[:40].decode()} to numeric.")
    return Wanted(_decoded(name), None if number is None else int(number), None if label is None else _decoded(label))


def _decoded(part: bytes) -> str:
    return unquote(part.decode("ascii", "backslashreplace"), errors="backslashreplace")


def _strict(query: bytes) -> bool:
    """Whether `?strict=true` asks for JSON that every parser reads."""
    found = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("strict")
    if found is None:
        return False
    if found[-1].lower() not in ("true", "false", "1", "0", ""):
        raise Refused(400, f"strict={found[-1][:40]!r} is neither true nor false")
    return found[-1].lower() in ("true", "1", "")


def _state(state: str, code: str = "OK", message: str = "") -> dict[str, Any]:
    return {"state": state, "status": {"error_code": code, "error_message": message}}


def _json(value: object) -> Answer:
    return Answer(orjson.dumps(value, option=orjson.OPT_INDENT_2))
