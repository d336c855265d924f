"""Where time stamps lie on the axis of a plot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from forecaster.series import Panel

__all__ = ["places_of", "seen_until"]


def places_of(stamps: pd.Index[Any]) -> list[int]:
    """Milliseconds by the data's own clock, or whole numbers as they are."""
    if not isinstance(stamps, pd.DatetimeIndex):
        return [int(stamp) for stamp in stamps]
    clock = stamps.tz_localize(None) if stamps.tz is not None else stamps
    return [int(value) for value in clock.to_numpy().astype("datetime64[ms]").astype(np.int64)]


def seen_until(one: Panel, until: object) -> int | None:
    """The tick up to which a network has seen a panel's one series in training or validation.

    Args:
        one: The panel.
        until: As the manifest has it; None is returned where nobody wrote it.
    """
    told = until.get(str(one.ids[0])) if isinstance(until, dict) else until
    numbered = not isinstance(one.stamps(one.last), pd.DatetimeIndex)
    try:
        stamp: pd.Index[Any] = pd.Index([int(str(told))]) if numbered else pd.DatetimeIndex([pd.Timestamp(str(told))])
        return int(one.ticks(stamp)[0])
    except (TypeError, ValueError):
        return None
