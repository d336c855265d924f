"""The run as the content of a report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from forecaster.config import PipelineDefinition
from forecaster.evaluation import definitions
from forecaster.evaluation.direction import DEFINITION
from forecaster.evaluation.symbols import DEFINITIONS as OF_SYMBOLS
from forecaster.pipeline.inspection import Inside
from forecaster.pipeline.preparation import Prepared
from forecaster.pipeline.publication import versions
from forecaster.pipeline.result import RunResult
from forecaster.reporting import ReportContent, write_report

__all__ = ["write"]


def write(
    path: Path,
    definition: PipelineDefinition,
    prepared: Prepared,
    result: RunResult,
    curves: Mapping[str, pd.DataFrame],
    insides: Mapping[str, Inside],
) -> Path:
    """Writes the HTML report of a run."""
    panel = prepared.panel
    history = panel.frame()[["unique_id", "ds", "y"]]
    published = {"name": result.name, "version": str(result.version), "SavedModel": str(result.served)}
    content = ReportContent(
        title=result.name,
        verdict=result.gate.verdict,
        leaderboard=result.leaderboard,
        apart=result.apart,
        history=history,
        forecasts=result.forecasts,
        created=datetime.now(UTC),
        facts={key: str(value) for key, value in result.facts.items()},
        inferred=result.inferred,
        parts=_parts(definition, prepared, 0) if panel.shared_clock else {},
        series_parts={} if panel.shared_clock else _own_parts(definition, prepared),
        curves=curves,
        warnings=result.warnings,
        inspections=[inside.inspection for inside in insides.values() if inside.inspection is not None],
        metric_definitions=_definitions(definition, prepared),
        definition=yaml.safe_dump(definition.model_dump(mode="json"), sort_keys=False, allow_unicode=True),
        published=published if result.version else None,
        versions=versions(),
        symbols=panel.symbols,
        samples={name: inside.made_up for name, inside in insides.items() if inside.made_up},
    )
    return write_report(content, path)


def _definitions(definition: PipelineDefinition, prepared: Prepared) -> dict[str, str]:
    if definition.symbolic:
        return dict(OF_SYMBOLS)
    return dict(definitions(prepared.season)) | ({"direction": DEFINITION} if prepared.directional else {})


def _own_parts(definition: PipelineDefinition, prepared: Prepared) -> dict[str, dict[str, tuple[Any, Any]]]:
    """The parts of series that share no clock, by their names."""
    numbers = {name: number for number, name in enumerate(prepared.panel.ids)}
    return {
        str(name): _parts(definition, prepared, place, numbers[name]) for place, name in enumerate(prepared.fitting.ids)
    }


def _parts(
    definition: PipelineDefinition, prepared: Prepared, fitted: int, series: int | None = None
) -> dict[str, tuple[Any, Any]]:
    """First and last target stamp of training, validation and test, both inclusive.

    Args:
        definition: For the horizon.
        prepared: For the cutoffs.
        fitted: A series' number in the fitting part.
        series: Its number in the whole panel; None for all of a shared clock.
    """
    panel = prepared.panel
    place = series or 0
    start = int(panel.first.min() if series is None else panel.first[series])
    borders = [
        start - 1,
        int(prepared.validation[0][fitted]),
        int(prepared.test[0][place]),
        int(prepared.test[-1][place]) + definition.horizon,
    ]
    stamps = [panel.stamps(np.array([low + 1, high])) for low, high in pairwise(borders)]
    return {name: (pair[0], pair[1]) for name, pair in zip(("training", "validation", "test"), stamps, strict=True)}
