"""Manifests of older formats, brought to the current one.

What is on the disk stays as it was written: a version's files are never changed after publication.

- Format 1 (forecaster 0.1) did not say how far the training data reach. The end of all its data is taken, which is
  at or after it: a champion of format 1 is compared with challengers only on what came after its publication. It
  recorded nothing about drift, so none is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["migrate"]


def migrate(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a manifest in the current format.

    Args:
        fields: As they were read; `format_version` is one that this program knows.

    Returns:
        The same for a manifest of the current format.

    Example:
        >>> old = {"format_version": 1, "data": {"span": "2000-06-05 to 2000-08-27T23:30:00"}}
        >>> migrate(old)["training"]
        {'until': '2000-08-27T23:30:00', 'data_until': '2000-08-27T23:30:00'}
    """
    current = dict(fields)
    while step := _STEPS.get(current["format_version"]):
        current = step(current)
    return current


def _from_1(fields: dict[str, Any]) -> dict[str, Any]:
    data = fields.get("data")
    span = data.get("span") if isinstance(data, dict) else None
    end = span.rpartition(" to ")[2] if isinstance(span, str) else None
    return {**fields, "format_version": 2, "training": {"until": end, "data_until": end} if end else {}}


_STEPS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _from_1}
