"""What a user writes: pipeline and model files, as pydantic classes, and their reading."""

from forecaster.config.model import ModelDefinition
from forecaster.config.pipeline import (
    BacktestDefinition,
    Baseline,
    FileData,
    Metric,
    PipelineDefinition,
    PromoteDefinition,
    TextData,
    TickerData,
)
from forecaster.config.project import Project
from forecaster.config.reading import read_model, read_pipeline, schema

__all__ = [
    "BacktestDefinition",
    "Baseline",
    "FileData",
    "Metric",
    "ModelDefinition",
    "PipelineDefinition",
    "Project",
    "PromoteDefinition",
    "TextData",
    "TickerData",
    "read_model",
    "read_pipeline",
    "schema",
]
