"""JSON from outside, bounded before it is parsed."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import orjson

from forecaster.serving.failures import Refused
from forecaster.serving.settings import Limits

__all__ = ["check_size", "parse_object", "type_name"]

SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
"""Half of a character beyond the first 65,536, or what looks so."""


def parse_object(body: bytes, limits: Limits, strict: bool = False) -> dict[str, Any]:
    """Parses a JSON object; NaN, Infinity and -Infinity are numbers, as for TensorFlow Serving.

    Args:
        body: UTF-8 text.
        limits: How many values it may hold.
        strict: Refuse what RFC 8259 does not know: NaN and Infinity.

    Raises:
        Refused: 400 where it is not JSON or no object; 413 where it holds too many values.
    """
    if not body.strip():
        raise Refused(400, "JSON Parse error: The document is empty")
    check_size(body, limits)
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        found = _with_nan(body, error, strict)
    if not isinstance(found, dict):
        raise Refused(400, f"JSON Value: {type_name(found)} Is not object; send an object with instances or inputs")
    return found


def check_size(body: bytes, limits: Limits) -> None:
    """Counts what a body would make, before it is made.

    Raises:
        Refused: 413; too many values.
    """
    if len(body) <= limits.elements:  # a value takes a byte at least
        return
    values = body.count(b",") + body.count(b"[") + body.count(b"{")
    if values > limits.elements:
        raise Refused(
            413,
            f"the body holds about {values:,} values; at most {limits.elements:,}, so send fewer rows, or observations "
            "as CSV (Content-Type: text/csv)",
        )


def _with_nan(body: bytes, error: orjson.JSONDecodeError, strict: bool) -> Any:
    """Reads what orjson refuses for NaN and Infinity, and refuses what it refuses for anything else."""
    spelled = any(word in body for word in (b"NaN", b"Infinity"))
    if spelled and not strict:
        try:
            found = json.loads(body.decode("utf-8"), parse_int=_whole)
            if SURROGATE.search(body):
                json.dumps(found, ensure_ascii=False).encode("utf-8")
            return found
        except RecursionError:
            raise Refused(400, "JSON Parse error: nested too deep") from None
        except UnicodeEncodeError:
            raise Refused(400, r"JSON Parse error: half of a surrogate pair (\ud800 to \udfff) alone") from None
        except ValueError as other:
            raise Refused(400, f"JSON Parse error: {other}") from None
    hint = "; strict JSON has no NaN and Infinity, write null" if spelled else ""
    raise Refused(400, f"JSON Parse error: {error}{hint}") from None


def _whole(digits: str) -> int:
    """A whole number that a float can hold.

    Raises:
        ValueError: It cannot.
    """
    if math.isinf(float(digits)):
        raise ValueError("number is infinity when parsed as double")
    return int(digits)


def type_name(value: object) -> str:
    """What JSON calls the type of a value.

    Example:
        >>> type_name(True), type_name([1]), type_name(1.5)
        ('True', 'Array', 'Number')
    """
    if value is None or isinstance(value, bool):
        return "Null" if value is None else str(value)
    return {"str": "String", "list": "Array", "dict": "Object"}.get(type(value).__name__, "Number")
