"""From frames to text that may stand inside an HTML file: stamps, numbers, JSON."""

import json
from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
import pandas as pd

__all__ = ["Json", "numbers", "script_json", "stamps"]

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

_HARMLESS = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def stamps(values: Iterable[object]) -> list[Json]:
    """Time stamps as plotly.js reads them, as short as they can be; integers stay integers.

    Plotly knows no time zones, so an aware stamp keeps the time that its clock shows.

    Example:
        >>> stamps(pd.to_datetime(["2024-01-01", "2024-01-02"]))
        ['2024-01-01', '2024-01-02']
        >>> stamps(pd.to_datetime(["2024-01-01 00:30"]))
        ['2024-01-01 00:30']
        >>> stamps([3, 4])
        [3, 4]
    """
    index = pd.Index(list(values))
    if not isinstance(index, pd.DatetimeIndex):
        return list(index.tolist())
    index = index.tz_localize(None)
    if (index == index.normalize()).all():
        return list(index.strftime("%Y-%m-%d"))
    whole_minutes = bool((index == index.floor("min")).all())
    return list(index.strftime("%Y-%m-%d %H:%M" if whole_minutes else "%Y-%m-%d %H:%M:%S.%f"))


def numbers(values: Iterable[float]) -> list[Json]:
    """Six significant digits of each value; None where there is no finite one.

    Example:
        >>> numbers([1.23456789, float("nan"), 40000.0])
        [1.23457, None, 40000]
    """
    array = np.asarray(list(values), dtype=float)
    return [_number(value) if np.isfinite(value) else None for value in array.tolist()]


def _number(value: float) -> float | int:
    short = float(f"{value:.6g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def script_json(data: Json) -> str:
    r"""JSON that no parser of HTML can mistake for the end of its script element.

    Example:
        >>> script_json({"id": "</script>"})
        '{"id":"\\u003c/script\\u003e"}'
    """
    return json.dumps(data, allow_nan=False, separators=(",", ":")).translate(_HARMLESS)
