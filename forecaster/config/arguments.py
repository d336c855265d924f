"""What arguments of the Python API may be: what the keys of the same names may be in a pipeline file."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Literal, get_args

from forecaster.config.pipeline import Transform
from forecaster.errors import DefinitionError

__all__ = ["seasons", "transformation", "whole", "whole_or_auto"]


def whole(name: str, value: Any, least: int = 1) -> int:
    """A whole number, of Python or NumPy, that is large enough.

    Args:
        name: Of the argument, for the message.
        value: What was given.
        least: The smallest that will do.

    Raises:
        DefinitionError: It is none, or smaller.

    Example:
        >>> whole("horizon", 48)
        48
    """
    number = None if isinstance(value, bool) else _index(value)
    if number is None or number < least:
        raise DefinitionError(f"{name}: should be a whole number, at least {least}; found {value!r}")
    return number


def _index(value: Any) -> int | None:
    try:
        return operator.index(value)
    except TypeError:
        return None


def whole_or_auto(name: str, value: Any) -> int | Literal["auto"]:
    """A whole number from one on, or `auto`.

    Raises:
        DefinitionError: It is neither.
    """
    return "auto" if isinstance(value, str) and value == "auto" else whole(name, value)


def seasons(value: Any) -> int | tuple[int, ...] | Literal["auto"]:
    """One season, or several, or `auto`.

    Raises:
        DefinitionError: One of them is no whole number from one on.

    Example:
        >>> seasons(48), seasons([48, 336]), seasons("auto")
        (48, (48, 336), 'auto')
    """
    if isinstance(value, str) or not isinstance(value, Iterable):
        return whole_or_auto("season", value)
    return tuple(whole("season", one) for one in value)


def transformation(value: Any) -> str:
    """The name of a transform, or `auto`.

    Raises:
        DefinitionError: There is none of that name.
    """
    known = get_args(Transform)
    if value in known:
        return str(value)
    near = get_close_matches(str(value).lower(), known, 1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    raise DefinitionError(f"transform: should be {', '.join(known[:-1])} or {known[-1]}; found {value!r}{meant}")
