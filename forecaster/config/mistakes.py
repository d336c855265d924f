"""Mistakes in a definition, told to people: one line for each place, with what is expected and what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from forecaster.config.pipeline import MEMBERS

__all__ = ["Place", "mistakes"]

Place = tuple[str | int, ...]
"""Keys and positions that lead to a value: ("models", 1, "units")."""

EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
    "date_type": "a date such as 2015-01-31",
    "date_parsing": "a date such as 2015-01-31",
    "date_from_datetime_parsing": "a date such as 2015-01-31",
    "date_from_datetime_inexact": "a date such as 2015-01-31",
    "literal_error": "{expected}",
    "greater_than": "greater than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:g}",
    "finite_number": "finite",
    "too_short": "a list of at least {min_length}",
}
"""What would be right, by the type of pydantic's error."""


def mistakes(
    error: ValidationError,
    content: Mapping[str, Any],
    kind: type[BaseModel],
    path: Path | str,
    lines: Mapping[Place, int],
) -> list[str]:
    """All that is wrong, a message for each place, in the order of the lines.

    Args:
        error: What pydantic found.
        content: What was checked.
        kind: Against which class.
        path: Of the file.
        lines: The line of each place in it.
    """
    by_place: dict[Place, list[ErrorDetails]] = {}
    for fault in error.errors(include_url=False):
        by_place.setdefault(_place(fault["loc"], content), []).append(fault)
    told: list[tuple[int, str]] = []
    for place, faults in by_place.items():
        if any(len(other) > len(place) and other[: len(place)] == place for other in by_place):
            continue  # another member of a union went further, so it is the one that was meant
        line = next((lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in lines), 0)
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")
        where = f"{path}:{line}" if line else str(path)
        told.append((line, f"{where}: {key}{': ' if key else ''}{_message(faults, kind)}"))
    return [message for _, message in sorted(told, key=lambda one: one[0])]


def _place(location: Place, content: Any) -> Place:
    """Pydantic's location without the names of union members that it puts in between."""
    place: Place = ()
    for part in location:
        if isinstance(part, str) and (part in MEMBERS or part == "<name>" or not isinstance(content, Mapping)):
            continue
        place = (*place, part)
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            content = None
    return place


def _message(faults: Sequence[ErrorDetails], kind: type[BaseModel]) -> str:
    fault = faults[0]
    known = _keys(kind, fault["loc"])
    if fault["type"] == "extra_forbidden":
        near = get_close_matches(str(fault["loc"][-1]), known, 1)
        return f"unknown key{f', did you mean {near[0]}?' if near else ';'} known here: {', '.join(known)}"
    if fault["type"] == "missing":
        return "missing; it has no default"
    if fault["type"] == "invalid_key":
        return "a key must be text; write it in quotes"
    expected = [EXPECTED[one["type"]].format(**one.get("ctx", {})) for one in faults if one["type"] in EXPECTED]
    if not expected:
        return fault["msg"].removeprefix("Value error, ")
    *others, last = dict.fromkeys(expected)
    unquoted = expected == ["text"] and isinstance(fault["input"], bool | int | float | date)
    return (
        f"should be {', '.join(others)}{' or ' if others else ''}{last}; found {_shown(fault['input'])}"
        f"{'; write it in quotes' if unquoted else ''}"
    )


def _shown(value: object) -> str:
    shown = str(value) if isinstance(value, date) else repr(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}…"


def _classes(annotation: Any) -> tuple[type[BaseModel], ...]:
    """The class that a key's annotation names, alone or beside None."""
    if isinstance(annotation, type):
        return (annotation,) if issubclass(annotation, BaseModel) else ()
    inner = get_args(annotation)
    return _classes(inner[0]) if inner else ()


def _keys(kind: type[BaseModel], location: Place) -> list[str]:
    """The keys that a mapping may have at a place."""
    kinds: tuple[type[BaseModel], ...] = (kind,)
    for part in location[:-1]:
        if part in MEMBERS:
            kinds = MEMBERS[str(part)]
        for one in kinds:
            inner = one.model_fields[part].annotation if isinstance(part, str) and part in one.model_fields else None
            kinds = _classes(inner) or kinds
    return [name for one in kinds for name in one.model_fields]
