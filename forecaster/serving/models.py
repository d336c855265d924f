"""What is served now: loaded versions by model, who uses them, and how each version fares."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from forecaster.serving.failures import Refused
from forecaster.serving.savedmodel import SavedModel
from forecaster.store import Version
from forecaster.store.groups import group_label

__all__ = ["CHAMPION", "PREVIOUS", "Loaded", "Models", "Wanted"]

CHAMPION: Final = "champion"
PREVIOUS: Final = "previous"


@dataclass(eq=False)
class Loaded:
    """A version in memory.

    Attributes:
        version: As it was read from the store, verified.
        model: Its SavedModel.
        identity: Tells it from another version that got the same number later.
        users: Requests that use it now.
        retired: Whether no new request gets it; the last user closes it.
    """

    version: Version
    model: SavedModel
    identity: object = None
    users: int = 0
    retired: bool = False

    @property
    def number(self) -> int:
        """The version's number."""
        return self.version.number

    @cached_property
    def network(self) -> str:
        """A short mark of what is served under the number, the same on every server that has the same files."""
        files = sorted(self.version.manifest.files.items())
        return hashlib.sha256(repr(files).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Wanted:
    """Which version of a model a request wants: by number, by label, or the champion."""

    name: str
    number: int | None = None
    label: str | None = None

    @property
    def text(self) -> str:
        """As TensorFlow Serving shows it."""
        return f"Latest({self.name})" if self.number is None else f"Specific({self.name}, {self.number})"


@dataclass
class _Model:
    loaded: dict[int, Loaded] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, int]:
        return dict(zip((CHAMPION, PREVIOUS), sorted(self.loaded, reverse=True), strict=False))


class Models:
    """All models; a request leases a version, so that it stays whole until the answer is made."""

    def __init__(self) -> None:
        self._models: dict[str, _Model] = {}
        self._lock = threading.Lock()

    @contextmanager
    def lease(self, wanted: Wanted) -> Iterator[Loaded]:
        """Gives a version to a request for the length of a `with` block.

        Raises:
            Refused: 404 for an unknown model or version, 400 for an unknown label.
        """
        with self._lock:
            loaded = self._find(wanted)
            loaded.users += 1
        try:
            yield loaded
        finally:
            with self._lock:
                loaded.users -= 1
                over = loaded.retired and not loaded.users
            if over:
                loaded.model.close()

    def _find(self, wanted: Wanted) -> Loaded:
        model = self._models.get(wanted.name, _Model())
        if wanted.label is not None:
            if wanted.label not in model.labels:
                known = f"; there are {', '.join(model.labels)}" if model.labels else ""
                raise Refused(400, f"Unrecognized servable version label: {wanted.label}{known}")
            return model.loaded[model.labels[wanted.label]]
        number = max(model.loaded, default=None) if wanted.number is None else wanted.number
        if number is None or number not in model.loaded:
            raise Refused(404, f"Servable not found for request: {wanted.text}")
        return model.loaded[number]

    def replace(self, name: str, loaded: Mapping[int, Loaded], failures: Mapping[int, str]) -> None:
        """Changes what is served of a model, at once.

        Args:
            name: The model.
            loaded: The versions from now on; others are closed once nobody uses them. None: the model is gone.
            failures: Versions that could not be loaded, and why.
        """
        with self._lock:
            before = self._models.get(name, _Model()).loaded
            if loaded or failures:
                self._models[name] = _Model(dict(loaded), dict(failures))
            else:
                self._models.pop(name, None)
            gone = [one for one in before.values() if one not in loaded.values()]
            for one in gone:
                one.retired = True
            idle = [one for one in gone if not one.users]
        for one in idle:
            one.model.close()

    def names(self) -> list[str]:
        """Models that have a version in memory."""
        with self._lock:
            return sorted(name for name, model in self._models.items() if model.loaded)

    def known(self) -> list[str]:
        """All models, also those of which no version could be loaded."""
        with self._lock:
            return sorted(self._models)

    def loaded(self, name: str) -> dict[int, Loaded]:
        """The versions of a model in memory, by number."""
        with self._lock:
            return dict(self._models.get(name, _Model()).loaded)

    def failures(self, name: str) -> dict[int, str]:
        """Versions of a model that could not be loaded, and why."""
        with self._lock:
            return dict(self._models.get(name, _Model()).failures)

    def labels(self, name: str) -> dict[str, int]:
        """The version that each label stands for."""
        with self._lock:
            return self._models.get(name, _Model()).labels

    def groups(self, name: str) -> list[str]:
        """Models in memory that are those of a split pipeline's groups."""
        with self._lock:
            newest = {one: model.loaded[max(model.loaded)] for one, model in self._models.items() if model.loaded}
        manifests = {one: loaded.version.manifest for one, loaded in newest.items() if one.startswith(f"{name}-")}
        return sorted(
            one
            for one, manifest in manifests.items()
            if one == manifest.name and group_label(manifest, name) is not None
        )

    def close(self) -> None:
        """Lets go of everything."""
        for name in self.known():
            self.replace(name, {}, {})
