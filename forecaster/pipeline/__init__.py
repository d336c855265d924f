"""The main job: a definition in, a published version and a run report out."""

from forecaster.pipeline.listener import Listener
from forecaster.pipeline.result import RunResult
from forecaster.pipeline.run import run

__all__ = ["Listener", "RunResult", "run"]
