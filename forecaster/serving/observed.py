"""One observation of a stream: the inputs of a step in the network's order, and its place in time."""

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

Values = Mapping[str, float | None]


@dataclass(frozen=True)
class Observed:
    """One observation.

    Attributes:
        inputs: float32, NaN for what is missing: `observation` (features,) now, `known` (features,) of the next step
            and `static` (features,).
        stamp: Its time stamp, as it is answered; None where none was sent.
        following: The time stamp of the next step.
    """

    inputs: dict[str, np.ndarray]
    stamp: str | int | None = None
    following: str | int | None = None

    @classmethod
    def read(cls, manifest: Manifest, now: Values, coming: Values, static: Values, ds: str | int | None) -> Self:
        """Reads an observation.

        Args:
            manifest: Of the version; it names the columns.
            now: Values by column: the target, past and known covariates.
            coming: Known covariates of the next step.
            static: Static covariates.
            ds: The time stamp.

        Raises:
            Refused: 400; columns are missing or unknown, a value is infinite, or a stamp is needed.
            DataError: The stamp is none, or not on the version's grid.
        """
        computed = list(manifest.calendar.get("columns", ()))
        wanted = {part: [name for name in names if name not in computed] for part, names in manifest.inputs.items()}
        inputs = {"observation": _values(now, wanted["past"], "observation")}
        inputs["known"] = _values(coming, wanted["known"], "known")
        inputs["static"] = _values(static, wanted["static"], "static")
        if np.isnan(inputs["known"]).any() or np.isnan(inputs["static"]).any():
            raise Refused(400, "known and static covariates must have a value; null is for what was not observed")
        if ds is None:
            if computed:
                raise Refused(400, f"ds is needed: the network reads {', '.join(computed)}, which follow from it")
            return cls(inputs)
        panel = _one_row(manifest, ds)
        ticks = panel.last + np.array([0, 1])
        if panel.features is not None:
            rows = panel.features.rows(ticks)
            for part, row in (("observation", rows[0]), ("known", rows[1])):
                inputs[part] = np.concatenate([inputs[part], row])
        return cls(inputs, *(_shown(stamp) for stamp in panel.stamps(ticks)))


def _values(given: Values, columns: list[str], part: str) -> np.ndarray:
    if given.keys() != set(columns):
        names = ", ".join(columns) or "nothing"
        raise Refused(400, f"{part} has {', '.join(given) or 'nothing'}; expected a value or null for {names}")
    values = np.array([np.nan if (value := given[name]) is None else value for name in columns], np.float64)
    if np.nanmax(np.abs(values), initial=0.0) > np.finfo(np.float32).max:
        raise Refused(400, f"{part} holds a number that is beyond 32 bits; send null for a missing one")
    return values.astype(np.float32)


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
