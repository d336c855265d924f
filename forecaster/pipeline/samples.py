"""What the networks of a run on symbols make up behind the end of its data, as text for the report."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from forecaster.config import PipelineDefinition, TextData
from forecaster.errors import DataError
from forecaster.forecasting.generation import Wish
from forecaster.forecasting.symbols import SymbolForecaster
from forecaster.series import Panel
from forecaster.series.text import joined

__all__ = ["made_up"]

LENGTH = {"character": 400, "word": 80}
NAMES = 60
"""Symbols of a column that are shown."""

logger = logging.getLogger(__name__)


def made_up(networks: Iterable[object], definition: PipelineDefinition, panel: Panel) -> dict[str, str]:
    """A sample of each network, by its name, drawn at temperature 1 with the pipeline's seed.

    Args:
        networks: Fitted; those of numbers make nothing up.
        definition: What a symbol is.
        panel: The run's data; of several series the first is gone on from. Where its known covariates end at once,
            nothing is made up.
    """
    unit = definition.data.unit if isinstance(definition.data, TextData) else None
    wish = Wish(length=LENGTH[unit] if unit else None, seed=definition.seed)
    found = {}
    for network in networks:
        if not isinstance(network, SymbolForecaster):
            continue
        try:
            symbols = network.go_on(panel.select([0]) if len(panel) > 1 else panel, wish)[0].symbols
        except DataError as error:
            logger.info("%s makes nothing up for the report: %s", network.name, error)
            continue
        found[network.name] = joined(symbols, unit) if unit else ", ".join(symbols[:NAMES])
    return found
