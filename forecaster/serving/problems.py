"""The error object, for the OpenAPI document, and validation errors in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

__all__ = ["PROBLEMS", "Problem", "first_problem"]


class Problem(BaseModel):
    """What went wrong.

    Attributes:
        error: What was found and what to send instead.
    """

    error: str


_REASONS = {
    400: "The request cannot be answered as it is.",
    401: "A token is needed.",
    403: "Not from there.",
    404: "There is no such model or version.",
    405: "There is no such method here.",
    408: "The body did not arrive in time.",
    409: "The session cannot go on.",
    413: "The body is too large.",
    415: "The body's packing is not known.",
    500: "A fault in the server.",
    503: "Too much to do; try again.",
    504: "No answer in time.",
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": reason} for status, reason in _REASONS.items()
}


KEYS = {
    "extra_forbidden": "there is no such key; /openapi.json has those that there are",
    "missing": "is missing; /openapi.json says what belongs there",
}
"""What is said of keys, by pydantic's kind of error."""


def first_problem(errors: Sequence[Any]) -> str:
    """The first of pydantic's errors in words.

    Example:
        >>> first_problem([{"loc": ("levels", 0), "msg": "Input should be less than 100", "input": 101}])
        'levels.0: Input should be less than 100; found 101'
        >>> first_problem([{"type": "extra_forbidden", "loc": ("level",), "msg": "", "input": 80}])
        'level: there is no such key; /openapi.json has those that there are'
        >>> first_problem([{"loc": (), "msg": "Value error, text and symbols are both there", "input": {}}])
        'text and symbols are both there'
        >>> kinds, cell = {"str": "a valid string", "int": "a valid integer"}, [5]
        >>> told = [{"loc": ("y", kind), "msg": f"Input should be {it}", "input": cell} for kind, it in kinds.items()]
        >>> first_problem(told)
        'y: Input should be a valid string or a valid integer; found [5]'
    """
    first = max(errors, key=lambda one: len(one["loc"]))  # of several forms, the one that it comes nearest to
    if first.get("type") in KEYS:
        return f"{'.'.join(map(str, first['loc']))}: {KEYS[first['type']]}"
    forms = _forms(first, errors)
    parts = map(str, first["loc"][:-1] if len(forms) > 1 else first["loc"])
    place = ".".join(
        part for part in parts if not part.startswith(("list[", "dict[")) and part not in ("body", "query")
    )
    said = " or ".join([forms[0], *(form.removeprefix("Input should be ") for form in forms[1:])])
    return f"{place}: {said}; found {str(first.get('input'))[:100]}" if place else said


def _forms(first: Mapping[str, Any], errors: Sequence[Any]) -> list[str]:
    """What is said of a value: one thing, or one for each type that it might have had, which then ends the place."""
    *place, last = first["loc"] or [0]
    alike = [first]
    if place and isinstance(last, str):
        alike = [one for one in errors if [*one["loc"][:-1]] == place and one.get("input") is first.get("input")]
    return list(dict.fromkeys(str(one["msg"]).removeprefix("Value error, ") for one in alike))
