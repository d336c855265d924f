"""Orders for workers that read a pipeline's data themselves, and make sure that they are those of the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forecaster.config import PipelineDefinition, Project
from forecaster.config.reading import parse
from forecaster.errors import DataError
from forecaster.pipeline.preparation import Prepared, prepare
from forecaster.series import data_hash

__all__ = ["open_order", "order_for"]


def order_for(
    definition: PipelineDefinition, project: Project, base: Path, data: str, told: Mapping[str, Any]
) -> bytes:
    """What a worker must know.

    Args:
        definition: The pipeline.
        project: Where data and model files lie; the worker reads them there.
        base: Folder of the pipeline file.
        data: Hash of the data that the worker must find.
        told: What else it must know, as JSON can say it.
    """
    where = {"root": str(project.root), "base": str(base.resolve())}
    return json.dumps({"definition": definition.model_dump(mode="json"), **where, "data": data, **told}).encode()


def open_order(order: bytes) -> tuple[dict[str, Any], PipelineDefinition, Prepared]:
    """An order as a worker has it: all that it says, the pipeline, and the data, read again and cut.

    Raises:
        DataError: The data are not those of the run.
    """
    told = json.loads(order)
    definition = parse(told["definition"], PipelineDefinition, "the order")
    prepared = prepare(definition, Project(Path(told["root"])), Path(told["base"]), offline=True)
    if data_hash(prepared.panel) != told["data"]:
        raise DataError("the data are others here than where the run was begun; give all machines the same files")
    return told, definition, prepared
