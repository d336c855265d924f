"""The checkpoints of a run's fits: what each belongs to, and their end."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from forecaster.config import ModelDefinition, PipelineDefinition

__all__ = ["ASIDE", "OPERATING", "forget", "key_of"]

OPERATING = frozenset({"keep", "schedule", "executor"})
"""Keys of a pipeline that change nothing of what a run comes to."""
ASIDE = OPERATING | {"name", "baselines", "metrics", "promote"}
"""Keys of a pipeline that change no fit of a network."""


def key_of(definition: PipelineDefinition, model: ModelDefinition, data: str, source: str = "") -> str:
    """What a checkpoint belongs to; one with another key is not gone on from.

    Args:
        definition: The pipeline.
        model: The network.
        data: The hash of what it learns from.
        source: The version whose weights it begins with.
    """
    said = definition.model_dump(mode="json", exclude={*ASIDE, "models"})
    told = [said, model.model_dump(mode="json"), data, source, _release(), _code(model.network)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def forget(checkpoints: Path) -> None:
    """Removes the checkpoints of a run that came to its end; what stays is of no other fit, and does no harm."""
    with suppress(OSError):
        for file in checkpoints.glob("*.npz"):
            file.unlink()
        if checkpoints.is_dir():
            checkpoints.rmdir()


def _release() -> str:
    """The program's; empty where it is not installed."""
    try:
        return version("forecaster")
    except PackageNotFoundError:
        return ""


def _code(network: str) -> str:
    """The hash of the module that builds a network of the user's own; empty for the program's own networks.

    A module that is not there is told when it is imported.
    """
    module, _, function = network.partition(":")
    if function:
        with suppress(ImportError, ValueError):
            found = find_spec(module)
            if found and found.has_location and found.origin:
                return hashlib.sha256(Path(found.origin).read_bytes()).hexdigest()
    return ""
