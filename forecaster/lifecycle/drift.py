"""Drift of a published pipeline: the champion's recent errors and inputs against those at its training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecaster.config import PipelineDefinition, Project
from forecaster.errors import DataError, StoreError
from forecaster.evaluation import METRICS, by_cutoff, scales
from forecaster.evaluation.drift import compare_errors, compare_inputs
from forecaster.evaluation.symbol_drift import compare_symbols
from forecaster.evaluation.symbols import symbol_course
from forecaster.lifecycle.promotion import in_words
from forecaster.lifecycle.rolling import rolled
from forecaster.pipeline.preparation import Prepared, prepare
from forecaster.pipeline.reach import after, ticks_of
from forecaster.store import Manifest, Store

__all__ = ["drift", "drift_of", "judged_by"]


def drift(definition: PipelineDefinition, project: Project, *, base: Path, offline: bool = False) -> dict[str, Any]:
    """Looks for drift in a pipeline's data as they are now, without training anything.

    Args:
        definition: The pipeline.
        project: Where the store lies.
        base: Folder of the pipeline file.
        offline: Take tickers from their last snapshots.

    Returns:
        As `drift_of`; where nothing has been published, `drifted` is False and the reason says so.

    Raises:
        ForecasterError: The data cannot be read, or the champion is damaged.
    """
    store, name = Store(project.store), str(definition.name)
    if store.champion(name) is None:
        return {"drifted": False, "reason": "nothing has been published to compare with", "errors": {}, "inputs": {}}
    champion = store.read(name)
    prepared = prepare(definition, project, base, offline=offline)
    frame = rolled(champion, definition, prepared)
    return drift_of(judged_by(store, champion.manifest), prepared, frame)


def judged_by(store: Store, champion: Manifest) -> Manifest:
    """What today's data are held against: the champion's manifest.

    Where that is of a format that recorded nothing to notice drift by, the inputs are held against those of the newest
    challenger that recorded them; so such a champion is challenged once, and not every night.

    Args:
        store: Where the challengers lie.
        champion: The champion's manifest.

    Raises:
        StoreError: The store cannot be read.
    """
    if champion.reference:
        return champion
    for number in reversed(store.challengers.numbers(champion.name)):
        try:
            challenger = store.challengers.manifest(champion.name, number)
        except StoreError:  # a damaged one tells nothing
            continue
        if challenger.reference:
            reference = {**challenger.reference, "errors": {**challenger.reference["errors"], "losses": []}}
            return champion.model_copy(update={"training": challenger.training, "reference": reference})
    return champion


def drift_of(manifest: Manifest, prepared: Prepared, frame: pd.DataFrame) -> dict[str, Any]:
    """Compares what is recent with what the champion's manifest recorded.

    Args:
        manifest: The champion's, or what stands in for it: see `judged_by`.
        prepared: The data as they are now, cut.
        frame: The champion's forecasts of the test part, beside what came.

    Returns:
        `drifted`, `reason` (a sentence), `errors` and `inputs`; see `evaluation.drift`. What cannot be judged for want
        of new data is an empty mapping. Where the manifest is of an older format, nothing can be judged, and `unknown`
        is True besides.
    """
    training, reference = manifest.training, manifest.reference
    if not training or not reference:
        reason = "the champion's manifest holds nothing to compare with; its next version will"
        return {"drifted": False, "unknown": True, "reason": reason, "errors": {}, "inputs": {}}
    until = ticks_of(prepared.panel, training["until"])
    scaled = ticks_of(prepared.panel, training.get("scale_until", training["until"]))
    errors = _errors(manifest, prepared, frame, scaled)
    inputs = _inputs(prepared, until, reference.get("inputs", {}))
    return {
        "drifted": bool(errors.get("drifted")) or any(one["drifted"] for one in inputs.values()),
        "reason": _reason(errors, inputs),
        "errors": errors,
        "inputs": inputs,
    }


def _inputs(prepared: Prepared, until: np.ndarray, told: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    if not told:
        return {}
    return (compare_symbols if "symbols" in told else compare_inputs)(prepared.panel, until, told)


def _errors(manifest: Manifest, prepared: Prepared, frame: pd.DataFrame, until: np.ndarray) -> dict[str, Any]:
    """The champion's losses on cutoffs after its own test part, against those on the latter, on one scale."""
    told = manifest.reference["errors"]
    new = frame[after(frame, prepared.panel, manifest.training["data_until"])]
    if new.empty or not told["losses"]:
        return {}
    if manifest.vocabulary:
        losses = symbol_course(new, [manifest.model])[manifest.model].to_list()
        return {**compare_errors(losses, told["losses"]), "metric": told["metric"]}
    try:
        scale = scales(prepared.panel.until(until), int(manifest.frequency["metric_season"]))
    except DataError:  # the data that it learnt from are no longer there
        return {}
    course = by_cutoff(new, manifest.model, METRICS[told["metric"]], scale, prepared.panel.shared_clock)
    return {**compare_errors(course.to_list(), told["losses"]), "metric": told["metric"]}


def _reason(errors: Mapping[str, Any], inputs: Mapping[str, Mapping[str, Any]]) -> str:
    said = []
    if errors.get("drifted"):
        said.append(
            f"errors have grown: {in_words(errors['metric'])} {errors['now']:.3f} on {errors['cutoffs']} new forecast "
            f"origins, {errors['then']:.3f} when it was published (p = {errors['p']:.2g})"
        )
    said += [
        f"{name} is distributed otherwise than in training (PSI {one['psi']:.2f}, usual up to {one['usual']:.2f})"
        for name, one in inputs.items()
        if one["drifted"]
    ]
    return "; ".join(said) or "no drift"
