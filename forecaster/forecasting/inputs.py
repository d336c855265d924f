"""The steps and covariates that a forecaster reads, held against those of a panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from forecaster.errors import DataError
from forecaster.series import Panel
from forecaster.series.stretches import missing_stretches, visible

__all__ = ["Inputs", "refuse_unknown_future", "refuse_unseen"]


@dataclass(frozen=True)
class Inputs:
    """What a forecaster was trained to read, so that it can be compared with a panel that it is to forecast.

    Attributes:
        past: Names of the past covariates.
        known: Names of the known ones, the calendar features' columns last.
        static: Names of the static ones.
        calendar: Names of the calendar features.
        columns: How many columns of `known`, the last, are theirs.
        zone: Whose clock they follow.
        frequency: Name of the steps; empty where none are known.
    """

    past: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    calendar: tuple[str, ...] = ()
    columns: int = 0
    zone: str | None = None
    frequency: str = ""

    @classmethod
    def of(cls, panel: Panel) -> Self:
        """Those of a panel."""
        features, frequency = panel.features, panel.calendar.name
        if features is None:
            return cls(panel.past, panel.known, panel.static, frequency=frequency)
        names, columns = features.names, len(features.columns)
        return cls(panel.past, panel.known_inputs, panel.static, names, columns, features.zone, frequency)

    @classmethod
    def recorded(
        cls, inputs: Mapping[str, Sequence[str]], calendar: Mapping[str, Any], frequency: Mapping[str, Any]
    ) -> Self:
        """Those that a manifest tells of."""
        known = tuple(inputs["known"])
        past = tuple(inputs["past"][1:])
        past = past[: len(past) - len(known)]
        names, columns = tuple(calendar.get("features", ())), len(calendar.get("columns", ()))
        zone, steps = calendar.get("zone"), frequency.get("name", "")
        return cls(past, known, tuple(inputs["static"]), names, columns, zone, steps)

    def given_by(self, panel: Panel, name: str) -> Panel:
        """The panel with the calendar features of training, computed here if it has others or none.

        Args:
            panel: What is to be forecast.
            name: Of the forecaster, for messages.

        Raises:
            DataError: Its steps or covariates are not those of training, or its stamps have no zone and theirs had.
        """
        if Inputs.of(panel) == self:
            return panel
        if self.frequency and self.frequency != panel.calendar.name:
            raise DataError(
                f"{name} was trained on steps of {self.frequency}, the data have steps of {panel.calendar.name}; "
                "bring them onto the same frequency"
            )
        if self.zone and not panel.zone:
            raise DataError(
                f"{name} was trained on calendar features by the clock of {self.zone}, but these time stamps have no "
                "zone; write them with their offset from UTC (2024-01-31T13:30+11:00)"
            )
        panel = panel.with_calendar(self.calendar, self.zone)
        pairs = {
            "known": (self.known, panel.known_inputs),
            "static": (self.static, panel.static),
            "past": (self.past, panel.past),
        }
        for part, (trained, found) in pairs.items():
            if trained != found:
                raise DataError(
                    f"{name} was trained with the {part} covariates {', '.join(trained) or 'none'}, the data have "
                    f"{', '.join(found) or 'none'}; declare the same in the same order"
                )
        return panel


def refuse_unknown_future(panel: Panel, who: str, otherwise: str) -> None:
    """Refuses past covariates where a forecast goes on from forecast values: theirs behind the cutoff are unknown.

    Args:
        panel: What is to be forecast, or learnt from.
        who: Goes on from its forecasts, for the message: "strategy: recursive", say.
        otherwise: What else could be done.

    Raises:
        DataError: Names them and the ways out.
    """
    if panel.past:
        raise DataError(
            f"{who} goes on from its own forecasts, for which the past covariates {', '.join(panel.past)} would have "
            "to be known behind the cutoff; declare them under `known` if they are, or leave them out (`ignore`), "
            f"or {otherwise}"
        )


def refuse_unseen(panel: Panel, who: str) -> None:
    """Refuses what a network that goes from step to step would have to see before it is there.

    Args:
        panel: What is to be learnt from.
        who: Goes step by step, for the message.

    Raises:
        DataError: There are past covariates, or gaps are filled by what lies behind them, which is what it learns to
            forecast.
    """
    refuse_unknown_future(panel, who, "write strategy: direct")
    if panel.filling == "interpolate" and len(missing_stretches(*visible(panel)).lengths):
        raise DataError(
            f"{who} learns to forecast every step from those before it, and missing: interpolate draws gaps towards "
            "the value behind them; write missing: mask or forward, or strategy: direct"
        )
