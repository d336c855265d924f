"""A project with one pipeline, whose data and definition a test changes from night to night."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from forecaster.config import Project, read_pipeline
from forecaster.store import Store

__all__ = ["OnePipeline"]


@dataclass
class OnePipeline:
    """A project in a folder of its own."""

    folder: Path

    @classmethod
    def made_in(cls, folder):
        """With the folder `models/` that makes it a project."""
        (folder / "models").mkdir()
        return cls(folder)

    @property
    def project(self):
        return Project(self.folder)

    @property
    def store(self):
        return Store(self.project.store)

    def defined(self, name, told):
        """Writes the pipeline file and reads it."""
        file = self.folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(told), encoding="utf-8")
        return read_pipeline(file)
