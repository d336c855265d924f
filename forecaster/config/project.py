"""Where a user's model files and trained versions lie."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from forecaster.config.groups import CHOSEN
from forecaster.config.model import RECURRENT, ModelDefinition
from forecaster.config.pipeline import Baseline, ModelVariant
from forecaster.config.reading import parse, read_model
from forecaster.errors import DefinitionError

__all__ = ["Project"]

COLUMNS = ("unique_id", "ds", "cutoff", "y", "kind", "series", "forecasts", "metric", CHOSEN)
"""Of forecasts and of scores of series apart, in which networks are columns, too."""
BOUND = r"-(lo|hi)-[\d.]+$"
"""How the columns of intervals end."""
SEASONAL = r"seasonal_naive_\d+"
"""What the seasonal naive forecast of another season is called."""


@dataclass(frozen=True)
class Project:
    """The folder that holds `models/`.

    Args:
        root: That folder.
        found_by: How it was found, to be told to the user.
        store_folder: Where trained versions are kept; `models/store` by default.
    """

    root: Path
    found_by: str = "given"
    store_folder: Path | None = None

    @classmethod
    def find(cls, given: Path | None = None, start: Path | None = None) -> Project:
        """Finds it: `given`, else `FORECASTER_PROJECT`, else the nearest parent of `start` that holds `models/`.

        Where no parent does, `start` itself (the working directory) becomes the project.

        Raises:
            DefinitionError: The folder that was given does not exist.
        """
        for folder, found_by in ((given, "--project"), (os.environ.get("FORECASTER_PROJECT"), "FORECASTER_PROJECT")):
            if folder:
                if not Path(folder).is_dir():
                    raise DefinitionError(f"{found_by}: {folder} is no folder; name the folder that holds models/")
                return cls(Path(folder).resolve(), found_by)
        here = (start or Path.cwd()).resolve()
        for parent in (here, *here.parents):
            if (parent / "models").is_dir():
                return cls(parent, "the nearest folder with models/")
        return cls(here, "the working directory, since no parent holds models/")

    @property
    def models(self) -> Path:
        """The folder of model files."""
        return self.root / "models"

    @property
    def store(self) -> Path:
        """The folder of trained versions."""
        return self.store_folder or self.models / "store"

    def definitions(self, entries: Sequence[str | ModelVariant | ModelDefinition]) -> tuple[ModelDefinition, ...]:
        """A pipeline's `models:` as full definitions, each with a name of its own.

        Raises:
            DefinitionError: As `model`; or two have one name, or one has that of a baseline or of a column.
        """
        models = tuple(self.model(entry) for entry in entries)
        names = [str(model.name) for model in models]
        if doubled := [name for place, name in enumerate(names) if name in names[:place]]:
            raise DefinitionError(f"models: two are called {doubled[0]!r}; give one of them another `name`")
        if taken := [name for name in names if name in get_args(Baseline) or re.fullmatch(SEASONAL, name)]:
            raise DefinitionError(f"models: {taken[0]!r} is the name of a baseline; give the model another `name`")
        if taken := [name for name in names if name in COLUMNS or re.search(BOUND, name)]:
            raise DefinitionError(f"models: {taken[0]!r} is a column of the results; give the model another `name`")
        return models

    def model(self, entry: str | ModelVariant | ModelDefinition) -> ModelDefinition:
        """One entry of a pipeline's `models:` as a full definition with a name.

        A plain word is a file in `models/`; without such a file, one of the program's own networks
        with its defaults. Anything with a `/` or `.yaml` is a path.

        Raises:
            DefinitionError: No such model, or its file says something impossible.
        """
        if isinstance(entry, ModelDefinition):
            return entry.named(entry.network.partition(":")[2] or entry.network)
        if isinstance(entry, ModelVariant):
            base = self.model(entry.extends)
            changes: dict[str, Any] = entry.model_extra or {}
            return parse({**base.model_dump(), **changes}, ModelDefinition, f"models: extends {entry.extends}")
        if "/" in entry or entry.endswith((".yaml", ".yml")):
            return read_model(self._file(entry))
        path = self.models / f"{entry}.yaml"
        if path.is_file():
            return read_model(path)
        if entry in RECURRENT:
            return ModelDefinition(network=entry).named(entry)
        files = sorted(file.stem for file in self.models.glob("*.yaml"))
        near = get_close_matches(entry, [*files, *RECURRENT], 1)
        raise DefinitionError(
            f"models: {entry!r} is neither a file in {self.models} ({', '.join(files) or 'which has none'}) "
            f"nor one of {', '.join(RECURRENT)}{f'; did you mean {near[0]}?' if near else ''}"
        )

    def _file(self, entry: str) -> Path:
        return next((path for path in (Path(entry), self.root / entry) if path.is_file()), Path(entry))
