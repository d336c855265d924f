"""What is inside the networks of a run, for the store and for the report."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forecaster.config import PipelineDefinition
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.pipeline.samples import made_up
from forecaster.series import Panel

__all__ = ["Inside", "Insides", "look_inside"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Inside:
    """What is inside one network.

    Attributes:
        inspection: As JSON, see `forecaster.forecasting.inspection.document`; None where it cannot be looked into.
        made_up: What a network of symbols makes up behind the end of the data, as text; empty for others.
    """

    inspection: Mapping[str, Any] | None
    made_up: str = ""


class Insides:
    """Looks into the networks of a run, into each of them once: the store and the report show the same.

    Args:
        definition: The run's.
        panel: Its data.
    """

    def __init__(self, definition: PipelineDefinition, panel: Panel) -> None:
        self._definition, self._panel = definition, panel
        self._found: dict[RecurrentForecaster, Inside] = {}

    def of(self, network: RecurrentForecaster) -> Inside:
        """What is inside a fitted network, looked at when it is first asked for."""
        if network not in self._found:
            self._found[network] = look_inside(network, self._definition, self._panel)
        return self._found[network]


def look_inside(network: RecurrentForecaster, definition: PipelineDefinition, panel: Panel) -> Inside:
    """What is inside a fitted network.

    Where it cannot be looked into, a warning says so: one of a user's own may do anything, and a training that is
    finished must not be lost to that.

    Args:
        network: Fitted.
        definition: The run's, which says what a symbol is.
        panel: The run's data.
    """
    from forecaster.forecasting.inspection import inspect

    try:
        inspection = inspect(network, panel).document()
    except Exception as error:  # a network of a user's own may raise anything
        logger.warning("%s: its inside cannot be shown (%s: %s)", network.name, type(error).__name__, error)
        inspection = None
    return Inside(inspection, made_up(network, definition, panel))
