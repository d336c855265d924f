"""One observation of a stream: the inputs of a step in the network's order, and its place in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from forecaster.series import Columns, Panel, panel_from_frame
from forecaster.series.rawtable import LARGEST
from forecaster.serving.failures import Refused
from forecaster.store import Manifest

__all__ = ["Observed"]

Values = Mapping[str, int | float | str | None]


@dataclass(frozen=True)
class Observed:
    """One observation.

    Attributes:
        inputs: float32, NaN for what is missing: `observation` (features,) now, `known` (features,) of the next step
            and `static` (features,). Of symbols the observation is a string (), empty where missing.
        stamp: Its time stamp, as it is answered; None where none was sent.
        following: The time stamp of the next step.
        unknown: Of symbols, what the version does not know: the observed one, categories of covariates (late=YES).
    """

    inputs: dict[str, np.ndarray]
    stamp: str | int | None = None
    following: str | int | None = None
    unknown: tuple[str, ...] = ()

    @classmethod
    def read(cls, manifest: Manifest, now: Values, coming: Values, static: Values, ds: str | int | None) -> Self:
        """Reads an observation.

        Args:
            manifest: Of the version; it names the columns.
            now: Values by column: the target, past and known covariates; of symbols the target only, since a network
                of them reads the covariates of the step that comes.
            coming: Known covariates of the next step; of symbols also names of categories.
            static: Static covariates.
            ds: The time stamp.

        Raises:
            Refused: 400; columns are missing or unknown, a value is infinite, or a stamp is needed.
            DataError: The stamp is none, or not on the version's grid.
        """
        computed = list(manifest.calendar.get("columns", ()))
        wanted = {part: [name for name in names if name not in computed] for part, names in manifest.inputs.items()}
        unknown: tuple[str, ...] = ()
        if manifest.vocabulary:
            symbol = _symbol(now, wanted["past"][0])
            inputs = {"observation": np.asarray(symbol or "", dtype=object)}
            strange = [*_strange(coming, wanted["known"]), *_strange(static, wanted["static"])]
            unknown = (*([] if symbol in (None, *manifest.vocabulary[1:]) else [str(symbol)]), *strange)
            coming, static = (
                _categories(given, wanted[part]) for part, given in (("known", coming), ("static", static))
            )
        else:
            inputs = {"observation": _values(now, wanted["past"], "observation")}
        inputs["known"] = _values(coming, wanted["known"], "known")
        inputs["static"] = _values(static, wanted["static"], "static")
        if np.isnan(inputs["known"]).any() or np.isnan(inputs["static"]).any():
            raise Refused(400, "known and static covariates must have a value; null is for what was not observed")
        if ds is None:
            if computed:
                raise Refused(400, f"ds is needed: the network reads {', '.join(computed)}, which follow from it")
            return cls(inputs, unknown=unknown)
        panel = _one_row(manifest, ds)
        ticks = panel.last + np.array([0, 1])
        if panel.features is not None:
            rows = panel.features.rows(ticks)
            inputs["known"] = np.concatenate([inputs["known"], rows[1]])
            if not manifest.vocabulary:
                inputs["observation"] = np.concatenate([inputs["observation"], rows[0]])
        stamp, following = (_shown(stamp) for stamp in panel.stamps(ticks))
        return cls(inputs, stamp, following, unknown)


def _symbol(given: Values, target: str) -> str | None:
    if given.keys() != {target}:
        raise Refused(400, f"observation has {', '.join(given) or 'nothing'}; expected a symbol or null for {target}")
    if (value := given[target]) == "":
        raise Refused(400, f"observation: {target} is empty; send null for a missing symbol")
    return None if value is None else str(value)


def _strange(given: Values, columns: list[str]) -> list[str]:
    """Categories that none of the columns is of."""
    groups = {name.partition("=")[0] for name in columns if "=" in name}
    told = [f"{name}={value}" for name, value in given.items() if name in groups and value is not None]
    return [one for one in told if one not in columns]


def _categories(given: Values, columns: list[str]) -> Values:
    """The covariates with a column of 0 and 1 for each category that the version knows; others are left out."""
    groups = {name.partition("=")[0] for name in columns if "=" in name}
    apart = {name: value for name, value in given.items() if name not in groups}
    for name in columns:
        group, _, category = name.partition("=")
        if group in groups and group in given:
            apart[name] = None if given[group] is None else float(str(given[group]) == category)
    return apart


def _values(given: Values, columns: list[str], part: str) -> np.ndarray:
    if given.keys() != set(columns):
        names = ", ".join(dict.fromkeys(name.partition("=")[0] for name in columns)) or "nothing"
        raise Refused(400, f"{part} has {', '.join(given) or 'nothing'}; expected a value or null for {names}")
    values = np.array([_number(given[name], name, part) for name in columns], np.float64)
    if np.nanmax(np.abs(values), initial=0.0) > LARGEST:
        raise Refused(400, f"{part} holds a number above {LARGEST:g} in size; send null for a missing one")
    return values.astype(np.float32)


def _number(value: float | str | None, name: str, part: str) -> float:
    try:
        return np.nan if value is None else float(value)
    except ValueError:
        raise Refused(400, f"{part}: {name} is {value!r}; expected a number, or null for a missing one") from None


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
