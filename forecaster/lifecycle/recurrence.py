"""Whether a retraining would only repeat what has been done: the same data and definition give the same network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from forecaster.config import PipelineDefinition
from forecaster.config.reading import parse
from forecaster.errors import ForecasterError
from forecaster.store import Manifest, Store

__all__ = ["learnt_before"]

BESIDE = {"name", "keep", "schedule", "executor", "devices"}
"""Keys that do not change what is trained."""


def learnt_before(
    store: Store, definition: PipelineDefinition, champion: Manifest | None, data_hash: str
) -> str | None:
    """Why there is nothing to learn: the champion, another version or a challenger has learnt from these very data.

    Of others than the champion, only those count that were made by the same definition. So a version that was rolled
    back is not made again the next night, and a challenger that lost is not trained again on the same data.

    Returns:
        A sentence, or None.
    """
    if champion and champion.data.get("sha256") == data_hash:
        return f"nothing new since version {champion.version} was trained (forecaster run trains all the same)"
    name = str(definition.name)
    kept: list[tuple[str, int, Callable[[str, int], Manifest]]]
    kept = [("version", number, store.manifest) for number in store.versions(name)]
    kept += [("challenger", number, store.challengers.manifest) for number in store.challengers.numbers(name)]
    for kind, number, read in reversed(kept):
        try:
            manifest = read(name, number)
        except ForecasterError:  # a damaged one tells nothing
            continue
        if manifest.data.get("sha256") == data_hash and _trains(manifest.definition) == _trains(definition):
            return f"nothing new since {kind} {number} was trained by this definition (forecaster run does it again)"
    return None


def _trains(definition: PipelineDefinition | dict[str, Any]) -> dict[str, Any] | None:
    """The part of a definition that decides what is trained and promoted."""
    if isinstance(definition, dict):
        try:
            definition = parse(definition, PipelineDefinition, "manifest")
        except ForecasterError:
            return None
    said = definition.model_dump(mode="json", exclude=BESIDE)
    return {**said, "backtest": {**said["backtest"], "refit": False}}
