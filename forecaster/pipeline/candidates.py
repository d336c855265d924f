"""The networks of a pipeline before their fits."""

from __future__ import annotations

from forecaster.config import ModelDefinition, PipelineDefinition
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.training import Control
from forecaster.forecasting.warm import WarmStart
from forecaster.pipeline.preparation import Prepared
from forecaster.pipeline.symbols import symbol_network
from forecaster.pipeline.warm import left_open

__all__ = ["network_of"]


def network_of(
    definition: PipelineDefinition,
    prepared: Prepared,
    model: ModelDefinition,
    control: Control,
    warm: WarmStart | None = None,
) -> RecurrentForecaster:
    """A network of a pipeline before its fit.

    Args:
        definition: The pipeline.
        prepared: Its data, cut.
        model: Which.
        control: How its fit is watched.
        warm: Weights to go on from.
    """
    if definition.symbolic:
        return symbol_network(definition, prepared, model, control)
    if model.support == "auto" and model.head != "negative_binomial":  # of all fits the same, of later data, too
        model = model.model_copy(update={"support": prepared.resolved.support})
    found = {
        "lookback": prepared.resolved.lookback, "season": prepared.resolved.seasons or 1,
        "transform": prepared.transform,
    }  # fmt: skip
    kept = left_open(definition, warm) if warm else {}
    return RecurrentForecaster(
        model, definition.horizon, **{**found, **kept}, levels=definition.levels,
        validation=prepared.resolved.validation, strict=definition.transform != "auto", step=prepared.step,
        seed=definition.seed, control=control, warm=warm, devices=definition.devices,
    )  # fmt: skip
