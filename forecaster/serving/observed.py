"""One observation of a stream: its values in the network's order, and its place in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from forecaster.series import Columns, Panel, panel_from_frame
from forecaster.serving.failures import Refused
from forecaster.store import Manifest

__all__ = ["Observed"]


@dataclass(frozen=True)
class Observed:
    """One observation.

    Attributes:
        values: float32 in the order of the network's features, NaN for what is missing, shape (features,).
        stamp: Its time stamp, as it is answered; None where none was sent.
        following: The time stamp of the next step.
    """

    values: np.ndarray
    stamp: str | int | None = None
    following: str | int | None = None

    @classmethod
    def read(cls, manifest: Manifest, given: Mapping[str, float | None], ds: str | int | None) -> Self:
        """Reads an observation.

        Args:
            manifest: Of the version; it names the columns.
            given: Values by column.
            ds: The time stamp.

        Raises:
            Refused: 400; columns are missing or unknown, a value is infinite, or a stamp is needed.
            DataError: The stamp is none, or not on the version's grid.
        """
        computed = list(manifest.calendar.get("columns", ()))
        columns = [name for name in manifest.inputs["past"] if name not in computed]
        if given.keys() != set(columns):
            raise Refused(
                400,
                f"observation has {', '.join(given) or 'nothing'}; expected a value or null for {', '.join(columns)}",
            )
        values = [np.nan if given[name] is None else float(given[name] or 0) for name in columns]
        if np.nanmax(np.abs(values), initial=0.0) > np.finfo(np.float32).max:
            raise Refused(400, "observation holds a number that is beyond 32 bits; send null for a missing one")
        if ds is None:
            if computed:
                raise Refused(400, f"ds is needed: the network reads {', '.join(computed)}, which follow from it")
            return cls(np.array(values, np.float32))
        panel = _one_row(manifest, ds)
        tick = panel.last
        features = panel.features.rows(tick)[0].tolist() if panel.features is not None else []
        stamp, following = (_shown(panel.stamps(tick + step)[0]) for step in (0, 1))
        return cls(np.array([*values, *features], np.float32), stamp, following)


def _one_row(manifest: Manifest, ds: str | int) -> Panel:
    """A panel of one step on the version's grid."""
    name = str(manifest.frequency["name"])
    data = manifest.definition.get("data", {})
    frame = pd.DataFrame({"ds": [ds], "y": [0.0]})
    panel = panel_from_frame(
        frame, Columns(), freq=int(name) if name.isdecimal() else name, source="ds",
        time_format=data.get("time_format"), zone=data.get("zone"),
    )  # fmt: skip
    return panel.with_calendar(manifest.calendar.get("features", ()), manifest.calendar.get("zone"))


def _shown(stamp: object) -> str | int:
    return stamp.isoformat() if isinstance(stamp, pd.Timestamp) else int(str(stamp))
