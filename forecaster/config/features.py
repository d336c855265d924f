"""Names of the calendar features that a `data` block may ask for."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated

from pydantic import AfterValidator, Field

__all__ = ["FEATURES", "Calendar", "Feature", "checked_feature"]

FEATURES = (
    "minute_of_day", "hour", "weekday", "day_of_month", "month", "day_of_year", "week_of_year", "session_gap",
    "session_of_week",
)  # fmt: skip
"""All but the holidays, which are named by country or country and region: `holiday:GB`, `holiday:AU-VIC`."""

HOLIDAY = r"holiday:[A-Z]{2,3}(-[A-Za-z0-9 ]{1,20})?"
FEATURE = rf"({'|'.join(FEATURES)}|{HOLIDAY})"


def checked_feature(name: str) -> str:
    """The name, if there is such a feature.

    Raises:
        ValueError: There is none; says what may be written.

    Example:
        >>> checked_feature("holiday:AU-VIC")
        'holiday:AU-VIC'
    """
    if not re.fullmatch(FEATURE, name):
        near = get_close_matches(name, [*FEATURES, "holiday:GB"], 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        known = ", ".join(FEATURES)
        raise ValueError(f"{name!r} is no calendar feature{hint}; write {known}, or holiday:GB or holiday:AU-VIC")
    return name


Feature = Annotated[str, AfterValidator(checked_feature), Field(json_schema_extra={"pattern": f"^{FEATURE}$"})]
"""A calendar feature by name."""


def _each_once(names: list[str]) -> list[str]:
    if doubled := [name for place, name in enumerate(names) if name in names[:place]]:
        raise ValueError(f"{doubled[0]} is there twice; write each once")
    return names


Calendar = Annotated[
    list[Feature],
    AfterValidator(_each_once),
    Field(
        description="features of the time stamps, known over the horizon: hour, weekday, month, holiday:GB, … "
        "(by the local clock where the stamps have a zone)"
    ),
]
"""Calendar features of a `data` block, each once."""
