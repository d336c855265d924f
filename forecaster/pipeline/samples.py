"""What a network of a run on symbols makes up behind the end of its data, as text for the store and the report."""

from __future__ import annotations

import logging

from forecaster.config import PipelineDefinition, TextData
from forecaster.errors import DataError
from forecaster.forecasting.generation import Wish
from forecaster.forecasting.symbols import SymbolForecaster
from forecaster.series import Panel
from forecaster.series.names import listed
from forecaster.series.text import joined

__all__ = ["made_up"]

LENGTH = {"character": 400, "word": 80}
NAMES = 60
"""Symbols of a column that are shown."""

logger = logging.getLogger(__name__)


def made_up(network: object, definition: PipelineDefinition, panel: Panel) -> str:
    """A sample of a network, drawn at temperature 1 with the pipeline's seed.

    Args:
        network: Fitted; one of numbers makes nothing up.
        definition: What a symbol is.
        panel: The run's data; of several series the first is gone on from. Where its known covariates end at once,
            nothing is made up.

    Returns:
        Text; empty where nothing is made up.
    """
    if not isinstance(network, SymbolForecaster):
        return ""
    unit = definition.data.unit if isinstance(definition.data, TextData) else None
    wish = Wish(length=LENGTH[unit] if unit else None, seed=definition.seed)
    try:
        symbols = network.go_on(panel.select([0]) if len(panel) > 1 else panel, wish)[0].symbols
    except DataError as error:
        logger.info("%s makes nothing up for the report: %s", network.name, error)
        return ""
    return joined(symbols, unit) if unit else listed(symbols[:NAMES])
