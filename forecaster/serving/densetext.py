"""Plain tensors read from JSON without building their lists: three times faster than the general way.

Nearly every request is one regular tensor of numbers. Its skeleton (brackets and commas) is compared with the one that
the signature's shape has; if it is the same, brackets are blanked out and the flat list of numbers is parsed. Anything
else, be it wrong or only unusual, is left to the general way, which knows how to say what is the matter.
"""

from __future__ import annotations

import re
import struct

import numpy as np
import orjson

from forecaster.serving.signature import TensorSpec

__all__ = ["dense_tensor"]

OPENING = re.compile(rb'\s*\{\s*"(instances|inputs)"\s*:\s*(?=\[)')
CLOSING = re.compile(rb"\]\s*\}\s*")
BLANKING = {sign: np.uint8(ord(sign) - ord(" ")) for sign in "[]"}
"""What turns a bracket into a blank."""
TAIL = 200
"""Bytes at the end of a body in which its closing brackets are looked for."""


def dense_tensor(body: bytes, spec: TensorSpec) -> tuple[np.ndarray, bool] | None:
    """The one input of a request whose body is `{"instances": tensor}` or `{"inputs": tensor}`.

    Args:
        body: JSON.
        spec: Of the input.

    Returns:
        The tensor and whether it came as `instances`; None for the general way to read.

    Example:
        >>> dense_tensor(b'{"instances": [[1, 2], [3, 4.5]]}', TensorSpec("x:0", "float", np.dtype("float32"), (-1, 2)))
        (array([[1. , 2. ],
               [3. , 4.5]], dtype=float32), True)
    """
    opening = OPENING.match(body)
    if spec.dtype != np.float32 or not spec.batched or spec.shape is None or -1 in spec.shape[1:] or opening is None:
        return None
    closing = CLOSING.fullmatch(body, max(body.rfind(b"]", -TAIL), 0))
    if closing is None:
        return None
    flat = _flattened(body[opening.end() : closing.start() + 1], spec.shape[1:])
    if flat is None:
        return None
    wide = _numbers(flat)
    if wide is None or len(wide) % np.prod(spec.shape[1:]):
        return None
    return wide.astype(np.float32).reshape(-1, *spec.shape[1:]), opening[1] == b"instances"


def _flattened(text: bytes, shape: tuple[int, ...]) -> bytes | None:
    """A list of rows of a shape with all inner brackets blanked out; None if its brackets and commas are others."""
    signs = np.frombuffer(text, np.uint8)
    opens, closes, comma, white = (signs == ord(sign) for sign in "[], ")
    separates = comma | white
    strays = (
        (white[1:] & ~comma[:-1]).any()  # blanks stand behind commas only
        or (opens[1:] & ~(opens | separates)[:-1]).any()  # and no number stands outside of its brackets
        or (closes[:-1] & ~(closes | comma)[1:]).any()
    )
    if strays:
        return None
    brackets = opens | closes
    skeleton = signs.compress(brackets | comma).tobytes()
    row = b""
    for size in reversed(shape):
        row = b"[%s]" % b",".join([row] * size)
    rows = (len(skeleton) - 1) // (len(row) + 1)
    if not rows or skeleton != b"[%s]" % b",".join([row] * rows):
        return None
    blanked = signs - opens * BLANKING["["] - closes * BLANKING["]"]
    return b"[%s]" % blanked.tobytes()


def _numbers(flat: bytes) -> np.ndarray | None:
    """A JSON list of numbers in 64 bits; None if it holds anything else, or what 32 bits cannot hold."""
    if b"u" in flat or b"f" in flat:  # true and false would be taken for numbers
        return None
    try:
        numbers = orjson.loads(flat)
        wide = np.frombuffer(struct.pack(f"{len(numbers)}d", *numbers))
    except (orjson.JSONDecodeError, struct.error, OverflowError):
        return None
    large = np.flatnonzero(np.abs(wide) >= 1 << 24)
    return None if any(_lossy(numbers[place]) for place in large) else wide


def _lossy(number: float) -> bool:
    """Whether 32 bits cannot hold what was written: a whole number beyond 24 bits, or one beyond their range."""
    return isinstance(number, int) or abs(number) > float(np.finfo(np.float32).max)
