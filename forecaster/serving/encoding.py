"""Predict answers: from arrays to TensorFlow Serving's JSON.

A 32-bit number is written as the shortest text that is read back as that number. NaN and Infinity are written as bare
words, which is not JSON, yet what TensorFlow Serving writes; strict answers have null instead.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from forecaster.serving.failures import Refused

__all__ = ["encode"]


def encode(outputs: Mapping[str, np.ndarray], by_row: bool, strict: bool = False) -> bytes:
    """Writes the answer to a predict request.

    Args:
        outputs: By name. One is written without its name.
        by_row: `predictions` with an entry a row, else `outputs` with whole batches.
        strict: Null for what is not finite.

    Raises:
        Refused: 400 where rows are asked for and the outputs have none, or different numbers of them.

    Example:
        >>> encode({"y": np.array([[0.1, 2], [np.nan, 4]], "float32")}, by_row=True)
        b'{"predictions":[[0.1,2.0],[NaN,4.0]]}'
        >>> encode({"y": np.array([0.1, 2], "float32"), "z": np.array([1, 2])}, by_row=True)
        b'{"predictions":[{"y":0.1,"z":1},{"y":2.0,"z":2}]}'
    """
    key = b"predictions" if by_row else b"outputs"
    if by_row:
        _check_rows(outputs)
    if len(outputs) == 1:
        name, array = next(iter(outputs.items()))
        return b'{"%s":%s}' % (key, _text(array, name, strict))
    if by_row:
        columns = {name: [_text(row, name, strict) for row in array] for name, array in outputs.items()}
        rows = (_object(dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True))
        return b'{"%s":[%s]}' % (key, b",".join(rows))
    return b'{"%s":%s}' % (key, _object({name: _text(array, name, strict) for name, array in outputs.items()}))


def _check_rows(outputs: Mapping[str, np.ndarray]) -> None:
    counts = {name: len(array) if np.ndim(array) else 0 for name, array in outputs.items()}
    if 0 in counts.values() or len(set(counts.values())) > 1:
        raise Refused(
            400, f"the outputs have {counts} rows, so they cannot be given by row; send `inputs` instead of `instances`"
        )


def _object(members: Mapping[str, bytes]) -> bytes:
    return b"{%s}" % b",".join(b"%s:%s" % (orjson.dumps(name), text) for name, text in members.items())


def _text(array: Any, name: str, strict: bool) -> bytes:
    array = np.asarray(array)
    if array.dtype.kind in "OSU":
        return orjson.dumps(_strings(array.tolist(), name.endswith("_bytes")))
    if array.dtype.kind == "f":
        array = array.astype(np.float32) if array.dtype.itemsize < 4 else array
        if not strict and not np.isfinite(array).all():
            return _with_words(array)
    return orjson.dumps(np.ascontiguousarray(array) if array.ndim else array[()], option=orjson.OPT_SERIALIZE_NUMPY)


def _with_words(array: np.ndarray) -> bytes:
    """Numbers and the words NaN, Infinity, -Infinity, nested by joining, innermost first."""
    flat = np.ascontiguousarray(array).reshape(-1)
    tokens = orjson.dumps(flat, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
    for place in np.flatnonzero(~np.isfinite(flat)):
        value = flat[place]
        tokens[place] = b"NaN" if np.isnan(value) else b"Infinity" if value > 0 else b"-Infinity"
    for size in reversed(array.shape):
        tokens = [b"[%s]" % b",".join(tokens[start : start + size]) for start in range(0, len(tokens), size)]
    return tokens[0]


def _strings(value: Any, binary: bool) -> Any:
    if isinstance(value, list):
        return [_strings(item, binary) for item in value]
    content = value if isinstance(value, bytes) else str(value).encode()
    return {"b64": base64.b64encode(content).decode()} if binary else content.decode("utf-8", "backslashreplace")
