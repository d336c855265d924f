"""Predict requests: from TensorFlow Serving's JSON to arrays.

Two forms: `instances` holds a row each, as plain values or as objects by input name; `inputs` holds whole batches,
plain or by name. Binary strings are written `{"b64": "…"}`. Strict requests are RFC 8259: a missing
number is null, not NaN.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from forecaster.serving.densetext import dense_tensor
from forecaster.serving.failures import Refused
from forecaster.serving.jsontext import check_size, parse_object, type_name
from forecaster.serving.settings import Limits
from forecaster.serving.signature import Signature, TensorSpec

__all__ = ["PredictRequest", "decode"]

DEFAULT_SIGNATURE = "serving_default"
DEEPEST = 16
"""Levels of lists in a tensor."""


@dataclass(frozen=True)
class PredictRequest:
    """A request that can be run.

    Attributes:
        signature: What is called.
        inputs: Checked arrays by name.
        rows: How many rows the batch has.
        by_row: Whether it came as `instances`, so that the answer goes out as `predictions`.
    """

    signature: Signature
    inputs: dict[str, np.ndarray]
    rows: int
    by_row: bool


def decode(body: bytes, signatures: Mapping[str, Signature], limits: Limits, strict: bool = False) -> PredictRequest:
    """Reads the body of a predict request.

    Args:
        body: JSON.
        signatures: Of the model.
        limits: How much a body may hold.
        strict: No NaN and Infinity; null is a missing number.

    Raises:
        Refused: 400 with the input's name and the shape expected; 413 where it is too large.
    """
    check_size(body, limits)
    usual = signatures.get(DEFAULT_SIGNATURE)
    if usual is not None and len(usual.inputs) == 1:
        name, spec = next(iter(usual.inputs.items()))
        if (dense := dense_tensor(body, spec)) is not None:
            return PredictRequest(usual, {name: dense[0]}, len(dense[0]), dense[1])
    return _general(body, signatures, limits, strict)


def _general(body: bytes, signatures: Mapping[str, Signature], limits: Limits, strict: bool) -> PredictRequest:
    """Every request that may be made."""
    document = parse_object(body, limits, strict)
    signature = _signature(document, signatures)
    if "instances" in document and "inputs" in document:
        raise Refused(400, "Not formatted correctly: expecting only one of 'inputs' or 'instances'")
    if "instances" in document:
        columns = _columns(document["instances"], signature)
    elif "inputs" in document:
        columns = _named(document["inputs"], signature)
    else:
        raise Refused(400, "Missing 'inputs' or 'instances' key")
    spelled = b"Infinity" in body
    inputs = {name: _array(value, name, signature.inputs[name], strict, spelled) for name, value in columns.items()}
    return PredictRequest(signature, inputs, signature.check(inputs), "instances" in document)


def _signature(document: Mapping[str, Any], signatures: Mapping[str, Signature]) -> Signature:
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise Refused(400, "'signature_name' key must be a string value")
    found = signatures.get(name or DEFAULT_SIGNATURE)
    if found is None:
        raise Refused(
            400,
            f'Serving signature name: "{name or DEFAULT_SIGNATURE}" not found in signature def; '
            f"there are {', '.join(signatures)}",
        )
    return found


def _is_binary(value: object) -> bool:
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def _is_object(value: object) -> bool:
    return isinstance(value, dict) and not _is_binary(value)


def _columns(instances: object, signature: Signature) -> dict[str, Any]:
    """`instances` turned to batches by input name."""
    if not isinstance(instances, list):
        raise Refused(400, f"Expecting 'instances' to be a list, found {type_name(instances)}")
    if not instances:
        raise Refused(400, "No values in 'instances'; send at least one row")
    objects = [_is_object(row) for row in instances]
    if not any(objects):
        return {_only_input(signature, "instances is a plain list"): instances}
    if not all(objects):
        place = objects.index(not objects[0])
        raise Refused(400, f"instances mixes plain values and objects: item {place} is unlike item 0; use one form")
    wanted = set(signature.inputs)
    for place, row in enumerate(instances):
        if row.keys() != wanted:
            raise Refused(
                400,
                f"Failed to process element: {place} of 'instances' list: its keys {_listed(row)} must be equal to: "
                f"{_listed(wanted)}",
            )
    return {name: [row[name] for row in instances] for name in signature.inputs}


def _named(inputs: object, signature: Signature) -> dict[str, Any]:
    """`inputs` as batches by input name; further keys are left alone, as TensorFlow Serving does."""
    if not _is_object(inputs):
        return {_only_input(signature, "inputs is a plain value/list"): inputs}
    given: dict[str, Any] = inputs  # type: ignore[assignment]
    for name, spec in signature.inputs.items():
        if name not in given:
            raise Refused(400, f"Missing named input: {name} in 'inputs' object; expected {spec.text}")
    return {name: given[name] for name in signature.inputs}


def _only_input(signature: Signature, found: str) -> str:
    if len(signature.inputs) > 1:
        shapes = ", ".join(f"{name}: {spec.text}" for name, spec in signature.inputs.items())
        raise Refused(400, f"{found}, but there are several inputs, so objects by name are expected ({shapes})")
    return next(iter(signature.inputs))


def _listed(names: Any) -> str:
    shown = sorted(map(str, names))
    return ",".join(shown[:20]) + (",…" if len(shown) > 20 else "")


def _array(value: object, name: str, spec: TensorSpec, strict: bool, spelled: bool) -> np.ndarray:
    """Nested lists as an array, level by level, so that a million numbers cost no loop in Python."""
    where = f"input {name!r}"
    items: list[Any] = [value]
    shape: list[int] = []
    while items and isinstance(items[0], list):
        if len(shape) == DEEPEST or set(map(type, items)) != {list}:
            deep = "lists are nested too deep" if len(shape) == DEEPEST else "values and lists stand on one level"
            raise Refused(400, f"{where}: {deep}; expected {spec.text}")
        sizes = set(map(len, items))
        if len(sizes) > 1:
            raise Refused(
                400,
                f"{where} is ragged: at level {len(shape) + 1} lists have {min(sizes)} and {max(sizes)} items; "
                f"expected {spec.text}",
            )
        shape.append(sizes.pop())
        items = list(chain.from_iterable(items))
    return _flat(items, where, spec, strict, spelled).reshape(shape)


def _flat(items: list[Any], where: str, spec: TensorSpec, strict: bool, spelled: bool) -> np.ndarray:
    kinds = set(map(type, items))
    if spec.dtype.kind == "f":
        return _decimals(items, kinds, where, spec, strict, spelled)
    wanted = {"O": (str, dict), "b": (bool,), "i": (int,), "u": (int,)}.get(spec.dtype.kind, ())
    if not kinds <= set(wanted):
        raise _wrong(items, wanted, where, spec)
    if spec.dtype.kind == "O":
        return np.array([_bytes(item, where, spec) for item in items], object)
    if spec.dtype.kind in "iu" and items:
        bounds = np.iinfo(spec.dtype)
        if min(items) < bounds.min or max(items) > bounds.max:
            raise Refused(400, f"{where}: a number does not fit {spec.kind}; expected {spec.text}")
    return np.array(items, spec.dtype)


def _decimals(
    items: list[Any], kinds: set[type], where: str, spec: TensorSpec, strict: bool, spelled: bool
) -> np.ndarray:
    wanted = (float, int, type(None)) if strict else (float, int)
    if not kinds <= set(wanted):
        raise _wrong(items, wanted, where, spec)
    if int in kinds:
        exact = 1 << (np.finfo(spec.dtype).nmant + 1)
        lossy = next((item for item in items if type(item) is int and abs(item) >= exact), None)
        if lossy is not None:
            shown = str(lossy) if abs(lossy) < 10**30 else f"an integer of {lossy.bit_length()} bits"
            raise Refused(400, f"{where}: Cannot convert JSON value: {shown} to {spec.kind} without loss of precision")
    wide = np.array(items, np.float64)
    with np.errstate(over="ignore"):
        array = wide.astype(spec.dtype)
    endless = np.isinf(array)
    if endless.any() and not (spelled and np.array_equal(endless, np.isinf(wide))):
        raise Refused(400, f"{where}: a number is beyond the range of {spec.kind}; expected {spec.text}")
    return array


def _bytes(item: Any, where: str, spec: TensorSpec) -> bytes:
    if isinstance(item, str):
        return item.encode()
    if not _is_binary(item):
        raise Refused(400, f'{where}: an object stands for a value; write binary as {{"b64": "…"}}, else {spec.text}')
    try:
        return base64.b64decode(item["b64"], validate=True)
    except (binascii.Error, ValueError):
        raise Refused(400, f"{where}: Unable to base64 decode") from None


def _wrong(items: list[Any], wanted: tuple[type, ...], where: str, spec: TensorSpec) -> Refused:
    item = next(item for item in items if type(item) not in wanted)
    shown = "" if item is None or isinstance(item, (bool, dict, list)) else f" {str(item)[:40]!r}"
    hint = "; a missing number is NaN" if item is None else ""
    return Refused(
        400,
        f"{where}: JSON Value:{shown} Type: {type_name(item)} is not of expected type: {spec.kind}; "
        f"expected {spec.text}{hint}",
    )
