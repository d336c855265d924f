"""Which published version a fit may go on from: one that has seen nothing of what it will be judged by."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from forecaster.config import PipelineDefinition
from forecaster.errors import DefinitionError
from forecaster.forecasting.backend import load_quietly
from forecaster.forecasting.warm import UNFINISHED, WarmStart, read_weights, said
from forecaster.pipeline.preparation import Prepared
from forecaster.pipeline.reach import ticks_of
from forecaster.series import Panel
from forecaster.store import Store, Version

__all__ = ["begin", "left_open", "warm_start"]


def begin(definition: PipelineDefinition, prepared: Prepared, store: Store) -> tuple[Prepared, WarmStart | None]:
    """Where the fits of a run begin: at a published version's weights if the pipeline asks for that, and what is told.

    Args:
        definition: The pipeline.
        prepared: Its data, cut.
        store: Where versions lie.

    Raises:
        DefinitionError: See `warm_start`.
    """
    if not definition.warm_start:
        return prepared, None
    load_quietly()
    warm = warm_start(definition, prepared, store)
    told, inferred = "nothing is published yet: from the beginning", dict(prepared.inferred)
    if warm:
        inferred |= _kept(warm, prepared)
        kept = ", ".join(f"{key} {said(warm.facts[key])}" for key in (*left_open(definition, warm), "cycle"))
        told = f"{warm.model} goes on from {warm.source}, and keeps its {kept}"
    if warm and "intervals" in prepared.inferred:
        told += "; its intervals are calibrated by the validation part alone"
    return replace(prepared, inferred={**inferred, "warm start": told}), warm


def _kept(warm: WarmStart, prepared: Prepared) -> dict[str, str]:
    """What is told of all that the version has otherwise than the data now suggest."""
    found = prepared.resolved
    suggested = {
        "lookback": found.lookback, "season": list(found.seasons), "segment": found.segment,
        "transform": prepared.transform,
    }  # fmt: skip
    return {
        key: f"{prepared.inferred.get(key, said(now))}; of {warm.model} {said(warm.facts[key])} (as {warm.source})"
        for key, now in suggested.items()
        if warm.facts[key] != now
    }


def left_open(definition: PipelineDefinition, warm: WarmStart) -> dict[str, Any]:
    """What a published version has of what the pipeline leaves to the data, which may have come to say otherwise.

    Args:
        definition: The pipeline.
        warm: The version's weights.

    Returns:
        Lookback, season and transform, those that are `auto`.
    """
    had = {**warm.facts, "season": warm.facts["season"] or 1}
    return {key: had[key] for key in ("lookback", "season", "transform") if getattr(definition, key) == "auto"}


def warm_start(definition: PipelineDefinition, prepared: Prepared, store: Store) -> WarmStart | None:
    """The weights of the newest published version, as they were before its finish.

    Args:
        definition: The pipeline.
        prepared: Its data, cut.
        store: Where versions lie.

    Returns:
        None where nothing has been published yet.

    Raises:
        DefinitionError: The version has seen something of the test or the validation part, keeps no such weights, is
            of a network that the pipeline does not name or that goes step by step, or took logarithms, which not all
            values have any more.
    """
    name = str(definition.name)
    if not store.versions(name):
        return None
    version = store.read(name)
    manifest, source = version.manifest, f"{name} version {version.number}"
    model = next((one for one in prepared.models if one.name == manifest.model), None)
    if model is None:
        known = ", ".join(str(one.name) for one in prepared.models)
        raise DefinitionError(
            f"warm_start: {source} is the network {manifest.model}, which must be among the models ({known}); name it "
            "there, or fit from the beginning (warm_start: false)"
        )
    if not model.windowed:
        raise DefinitionError(
            f"warm_start: {source} is the network {manifest.model}, which goes step by step; only networks that "
            "forecast a whole horizon at once can go on from weights, so fit from the beginning (warm_start: false)"
        )
    _must_not_have_seen(version, source, prepared)
    facts = manifest.training["network"]
    warm = WarmStart(source, manifest.model, facts, read_weights(version.side / UNFINISHED, model.network))
    if left_open(definition, warm).get("transform") == "log" and (prepared.fitting.target <= 0).any():
        raise DefinitionError(
            f"warm_start: {source} has transform log, and by now not all values are above zero; fit from the beginning "
            "(warm_start: false)"
        )
    return warm


def _must_not_have_seen(version: Version, source: str, prepared: Prepared) -> None:
    told = version.manifest.training
    if "network" not in told or not (version.side / UNFINISHED).is_file():
        twin = version.manifest.gate.get("refit")
        raise DefinitionError(
            f"warm_start: {source} was published without the weights to go on from; publish it once from the "
            f"beginning (warm_start: false){', without promote.refit' if twin else ''}"
        )
    if _behind(prepared.panel, told["until"], prepared.test[0]):
        raise DefinitionError(
            f"warm_start: {source} has seen data until {_stamp(told['until'])}, behind the first test cutoff, so its "
            "scores would be those of a network that knows the answers; wait for newer data, leave promote.refit out, "
            "or fit from the beginning (warm_start: false)"
        )
    if _behind(prepared.fitting, told["learnt_until"], prepared.validation[0]):
        raise DefinitionError(
            f"warm_start: {source} has learnt from data until {_stamp(told['learnt_until'])}, which this run would "
            "stop its fits by; write `validation` as it was, or fit from the beginning (warm_start: false)"
        )


def _behind(panel: Panel, told: object, border: np.ndarray) -> bool:
    """Whether recorded stamps lie behind a cutoff in any series."""
    return bool((ticks_of(panel, told) > border).any())


def _stamp(told: object) -> str:
    return max(map(str, told.values())) if isinstance(told, dict) else str(told)
