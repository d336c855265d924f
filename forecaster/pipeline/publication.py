"""Publishing the network of a run: export, check that it says the same, stage, commit."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from forecaster.config import PipelineDefinition, TickerData
from forecaster.errors import ParityError
from forecaster.evaluation.drift import input_reference
from forecaster.evaluation.symbol_drift import symbol_reference
from forecaster.forecasting.protocol import levels_to_quantiles
from forecaster.forecasting.published import PublishedForecaster
from forecaster.forecasting.published_symbols import PublishedSymbols
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.symbols import SymbolForecaster
from forecaster.pipeline.inspection import Inside
from forecaster.pipeline.preparation import Prepared
from forecaster.pipeline.reach import recorded
from forecaster.pipeline.result import Gate
from forecaster.series import Panel, data_hash, forecast_windows, forecastable
from forecaster.series.source import comes_with_python, find_file
from forecaster.store import ManifestDraft, Staging, Store, Version
from forecaster.store.durable import explained
from forecaster.store.inspection import write_inspection

__all__ = ["draft_of", "exported", "publish", "versions"]

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
    losses: Sequence[float],
    inside: Inside,
) -> Version:
    """Publishes a fitted network under the pipeline's name, at the next number.

    Args:
        store: Where to.
        definition: The pipeline, defaults filled in.
        prepared: The run's data.
        forecaster: The winner.
        gate: Why it may be published.
        scores: The leaderboard, for the manifest.
        base: Folder of the pipeline file.
        losses: Of the winner at each cutoff of the test part, to notice drift by.
        inside: What is inside the winner.

    Raises:
        ParityError: The exported network says something else than the trained one.
        StoreError: The store cannot be written.
    """
    draft = draft_of(definition, prepared, forecaster, vars(gate), scores, base, losses, definition.promote.refit)
    with exported(store, definition, prepared, forecaster, draft, inside) as staging:
        return store.publish(staging, draft)


@contextmanager
def exported(
    store: Store,
    definition: PipelineDefinition,
    prepared: Prepared,
    forecaster: RecurrentForecaster,
    draft: ManifestDraft,
    inside: Inside,
) -> Iterator[Staging]:
    """Exports a fitted network and what is inside it into a staging folder, and makes sure that it forecasts the same.

    Args:
        store: Where to.
        definition: The pipeline.
        prepared: The run's data.
        forecaster: The network.
        draft: What its manifest will say.
        inside: What is inside it.

    Yields:
        The staged network, to be published or kept as a challenger.

    Raises:
        ParityError: It does not.
        StoreError: The store cannot be written.
    """
    name = str(definition.name)
    store.sweep()
    with store.stage(name) as staging:
        with explained(f"write {name}", store.root):
            forecaster.export(staging.served, staging.side)
        panel = prepared.fitting if definition.symbolic else _judged_first(prepared, definition.horizon)
        if not _says_the_same(forecaster, staging.served, draft, panel):
            raise ParityError(f"{name}: the exported network forecasts something else than the trained one; kept back")
        if inside.inspection is not None:
            write_inspection(staging.side, {**inside.inspection, "made_up": inside.made_up})
        yield staging


def _judged_first(prepared: Prepared, horizon: int) -> Panel:
    """The data up to the first origin of the test part at which there are forecasts, and the series that have one."""
    there = forecastable(prepared.panel, prepared.test, horizon)
    window = int(there.any(axis=1).argmax())
    series = np.flatnonzero(there[window])
    return prepared.panel.select(series).until(prepared.test[window, series])


def _says_the_same(forecaster: RecurrentForecaster, served: Path, draft: ManifestDraft, panel: Panel) -> bool:
    if isinstance(forecaster, SymbolForecaster):
        told = PublishedSymbols.load(served, draft).probabilities(panel)
        return bool(np.all(np.abs(forecaster.probabilities(panel) - told) <= TOLERANCE))
    own = forecaster.quantiles(panel)
    exported = PublishedForecaster.load(served, draft).quantiles(panel)
    past = forecast_windows(panel, draft.lookback, draft.horizon).gather(slice(None)).past[:, :, 0]
    scale = np.maximum(np.abs(own), np.nanstd(past, axis=1)[:, None, None])
    return bool(np.all(np.abs(own - exported) <= TOLERANCE * scale))


def draft_of(
    definition: PipelineDefinition,
    prepared: Prepared,
    forecaster: RecurrentForecaster,
    gate: Mapping[str, Any],
    scores: Mapping[str, Any],
    base: Path,
    losses: Sequence[float],
    twin: bool,
) -> ManifestDraft:
    """All that a manifest says of a network before it has a number.

    Args:
        definition: As in `publish`; so are those that are not named here.
        prepared: See there.
        forecaster: See there.
        gate: Why it is published, or kept back.
        scores: See there.
        base: See there.
        losses: See there.
        twin: Whether the network has learnt from all data, and the scores are those of its twin that had not.
    """
    panel = prepared.panel
    data = definition.data
    where = (
        {}
        if isinstance(data, TickerData) or comes_with_python(data)
        else {"path": str(find_file(data.path, base).resolve())}
    )
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
        quantiles=[] if definition.symbolic else list(levels_to_quantiles(forecaster.levels)),
        vocabulary=list(forecaster.vocabulary) if isinstance(forecaster, SymbolForecaster) else [],
        horizon=forecaster.horizon,
        lookback=forecaster.reads or prepared.resolved.lookback,
        frequency={"name": panel.calendar.name, "metric_season": prepared.season},
        data={"source": data.source, **where, "sha256": data_hash(panel), **panel.notes},
        scores=dict(scores),
        gate={**gate, "refit": twin},
        training={
            "until": recorded(panel, _seen(prepared, twin)),
            "data_until": recorded(panel, panel.last),
            **({"scale_until": recorded(panel, prepared.test[0])} if twin else {}),
            **({"theta": forecaster.theta, "lookback": forecaster.facts["lookback"]} if forecaster.theta else {}),
            **({"support": forecaster.support} if forecaster.support != "real" else {}),
            **_begins(prepared, forecaster, twin),
        },
        reference=_reference(definition, prepared, losses, twin),
        seed=definition.seed,
        streaming=forecaster.streaming,
        versions=versions(),
    )


def _seen(prepared: Prepared, twin: bool) -> np.ndarray:
    """Tick of the last step of each series that the network has seen."""
    return np.asarray(prepared.panel.last if twin else prepared.test[0])


def _begins(prepared: Prepared, forecaster: RecurrentForecaster, twin: bool) -> dict[str, Any]:
    """What a warm start must know: where what the weights before the finish have learnt ends, and what they are for."""
    if forecaster.stepwise or twin:
        return {}
    return {"learnt_until": recorded(prepared.fitting, prepared.validation[0]), "network": forecaster.facts}


def _reference(
    definition: PipelineDefinition, prepared: Prepared, losses: Sequence[float], twin: bool
) -> dict[str, Any]:
    """What recent inputs and errors will be held against."""
    steps = int(prepared.test[-1].max() - prepared.test[0].max()) + definition.horizon
    reference = symbol_reference if definition.symbolic else input_reference
    inputs = reference(prepared.panel, _seen(prepared, twin), steps)
    return {"inputs": inputs, "errors": {"metric": definition.promote.metric, "losses": list(losses)}}


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
