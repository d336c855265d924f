"""Publishing the network of a run: export, check that it says the same, stage, commit."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from forecaster.config import FileData, PipelineDefinition
from forecaster.errors import StoreError
from forecaster.forecasting.protocol import levels_to_quantiles
from forecaster.forecasting.published import PublishedForecaster
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.pipeline.preparation import Prepared
from forecaster.pipeline.result import Gate
from forecaster.series import Panel, data_hash, forecast_windows
from forecaster.series.source import find_file
from forecaster.store import ManifestDraft, Store, Version

__all__ = ["publish", "versions"]

TOLERANCE = 1e-5
"""Of a served forecast against `predict`, in shares of the forecast's size or the window's spread."""


def publish(
    store: Store,
    definition: PipelineDefinition,
    prepared: Prepared,
    forecaster: RecurrentForecaster,
    gate: Gate,
    scores: Mapping[str, Any],
    base: Path,
) -> Version:
    """Publishes a fitted network under the pipeline's name, at the next number, and prunes old versions.

    Args:
        store: Where to.
        definition: The pipeline, defaults filled in.
        prepared: The run's data.
        forecaster: The winner.
        gate: Why it may be published.
        scores: The leaderboard, for the manifest.
        base: Folder of the pipeline file.

    Raises:
        StoreError: The exported network says something else than the trained one, or the store cannot be written.
    """
    name = str(definition.name)
    draft = _draft(definition, prepared, forecaster, gate, scores, base)
    store.sweep()
    with store.stage(name) as staging:
        forecaster.export(staging.served, staging.side)
        if not _says_the_same(forecaster, staging.served, draft, prepared.fitting):
            raise StoreError(f"{name}: the exported network forecasts something else than the trained one; kept back")
        published = store.publish(staging, draft)
    store.prune(name, definition.keep)
    return published


def _says_the_same(forecaster: RecurrentForecaster, served: Path, draft: ManifestDraft, panel: Panel) -> bool:
    own = forecaster.quantiles(panel)
    exported = PublishedForecaster.load(served, draft).quantiles(panel)
    past = forecast_windows(panel, draft.lookback, draft.horizon).gather(slice(None)).past[:, :, 0]
    scale = np.maximum(np.abs(own), np.nanstd(past, axis=1)[:, None, None])
    return bool(np.all(np.abs(own - exported) <= TOLERANCE * scale))


def _draft(
    definition: PipelineDefinition,
    prepared: Prepared,
    forecaster: RecurrentForecaster,
    gate: Gate,
    scores: Mapping[str, Any],
    base: Path,
) -> ManifestDraft:
    panel = prepared.panel
    data = definition.data
    where = {"path": str(find_file(data.path, base).resolve())} if isinstance(data, FileData) else {}
    return ManifestDraft(
        definition=definition.model_dump(mode="json"),
        model=forecaster.name,
        model_definition=forecaster.definition.model_dump(mode="json"),
        inferred=prepared.inferred,
        inputs={
            "past": [data.target, *panel.past, *panel.known_inputs],
            "known": list(panel.known_inputs),
            "static": list(panel.static),
        },
        calendar=_calendar(panel),
        levels=forecaster.levels,
        quantiles=list(levels_to_quantiles(forecaster.levels)),
        horizon=forecaster.horizon,
        lookback=prepared.resolved.lookback,
        frequency={"name": panel.calendar.name, "metric_season": prepared.season},
        data={"source": data.source, **where, "sha256": data_hash(panel), **panel.notes},
        scores=dict(scores),
        gate={**vars(gate), "refit": definition.promote.refit},
        seed=definition.seed,
        streaming=forecaster.streaming,
        versions=versions(),
    )


def _calendar(panel: Panel) -> dict[str, Any]:
    """How a client computes the calendar features that the network reads."""
    features = panel.features
    if features is None:
        return {}
    return {"features": list(features.names), "zone": features.zone, "columns": features.definitions}


def versions() -> dict[str, str]:
    """Of the program and of what a forecast depends on; TensorFlow's own build goes by several names."""
    wanted = (
        "forecaster", "tensorflow", "tensorflow-cpu", "keras", "numpy", "pandas", "scikit-learn", "holidays",
        "exchange_calendars", "yfinance",
    )  # fmt: skip
    found = {package: _installed(package) for package in wanted}
    return {"python": platform.python_version(), **{package: number for package, number in found.items() if number}}


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
