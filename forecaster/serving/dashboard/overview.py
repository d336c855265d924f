"""What is known of pipelines: their files, versions, challengers and runs, each read so that damage in one is shown
and hides nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from forecaster.config import PipelineDefinition, Project, read_pipeline
from forecaster.config.cron import Cron
from forecaster.errors import ForecasterError
from forecaster.serving.dashboard.books import Books
from forecaster.serving.models import Models
from forecaster.store import Manifest, Store
from forecaster.store.groups import group_label
from forecaster.store.ledger_records import Run

__all__ = ["Kept", "Overview", "Pipeline", "PipelineFiles"]

MOST_RUNS = 1000
"""That are looked through for the front page."""
SHOWN_RUNS = 30


@dataclass(frozen=True)
class Kept:
    """A version or a challenger; without a manifest where that is damaged, and then with the fault."""

    number: int
    manifest: Manifest | None
    fault: str = ""


@dataclass(frozen=True)
class Pipeline:
    """All that is shown of one pipeline.

    Attributes:
        name: Its name.
        now: When this was read.
        definition: Its file's, where there is one that can be read; a group's is that of the pipeline that is split.
        file_fault: What is wrong with its file.
        versions: The newest first; the first is the champion.
        challengers: The newest first.
        runs: From the ledger, the newest first.
        load_failures: Versions that the server cannot load, and why.
        ledger_fault: Why no runs can be shown.
        parent: The split pipeline that it is a group of, if it is one.
        groups: Where it is split itself, those of its groups of which anything is known.
    """

    name: str
    now: datetime
    definition: PipelineDefinition | None = None
    file_fault: str = ""
    versions: Sequence[Kept] = ()
    challengers: Sequence[Kept] = ()
    runs: Sequence[Run] = ()
    load_failures: Mapping[int, str] = field(default_factory=dict)
    ledger_fault: str = ""
    parent: str = ""
    groups: Sequence[Pipeline] = ()

    @property
    def split(self) -> bool:
        """Whether each of its groups has a model, and it has none itself (nor one of before it was split)."""
        told = self.definition is not None and self.definition.split
        return told and not self.parent and not self.versions

    @property
    def published(self) -> bool:
        """Whether anything of it is served: a version, or one of a group."""
        return bool(self.versions) or any(group.versions for group in self.groups)

    @property
    def champion(self) -> Kept | None:
        """The version that is served."""
        return self.versions[0] if self.versions else None

    @property
    def next_due(self) -> datetime | None:
        """When it is retrained next; None without a schedule."""
        cron = self._cron()
        return cron.following(self.now) if cron else None

    @property
    def last_due(self) -> datetime | None:
        """When it was to be retrained last."""
        cron = self._cron()
        return cron.latest(self.now) if cron else None

    def _cron(self) -> Cron | None:
        schedule = self.definition.schedule if self.definition else None
        return Cron.parse(schedule.cron) if schedule else None


class PipelineFiles:
    """The files in `pipelines/`, read again only when they have changed.

    Args:
        folder: `pipelines/` of the project.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, tuple[tuple[int, int], str, PipelineDefinition | None, str]] = {}

    def all(self) -> dict[str, tuple[PipelineDefinition | None, str]]:
        """Definition and fault by the pipeline's name (the file's, where it cannot be read)."""
        found: dict[str, tuple[PipelineDefinition | None, str]] = {}
        paths = sorted([*self._folder.glob("*.yaml"), *self._folder.glob("*.yml")])
        self._read = {path: one for path in paths if (one := self._one(path)) is not None}
        for _, name, definition, fault in self._read.values():
            found.setdefault(name, (definition, fault))
        return found

    def _one(self, path: Path) -> tuple[tuple[int, int], str, PipelineDefinition | None, str] | None:
        try:
            told = path.stat()
        except OSError:
            return None
        mark = (told.st_mtime_ns, told.st_size)
        known = self._read.get(path)
        if known is not None and known[0] == mark:
            return known
        try:
            definition = read_pipeline(path)
        except ForecasterError as error:
            return mark, path.stem, None, str(error)
        return mark, str(definition.name), definition, ""


class Overview:
    """Reads pipelines.

    Args:
        project: Whose.
        models: What is served of them.
        clock: What tells the time.
    """

    def __init__(
        self, project: Project, models: Models, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store, self._models, self._clock = Store(project.store), models, clock
        self._root = f"{project.root}/"
        self._files = PipelineFiles(project.root / "pipelines")
        self.books = Books(project.store)

    def all(self) -> tuple[list[Pipeline], str]:
        """Every pipeline with its champion and its latest run, and what is wrong with the store or the ledger."""
        now, files = self._clock(), self._files.all()
        runs, fault = self.books.runs(limit=MOST_RUNS)
        latest: dict[str, list[Run]] = {}
        for run in runs:
            latest.setdefault(run.pipeline, []).append(run)
        try:
            published = {*self._store.names(), *self._store.challengers.names()}
        except ForecasterError as error:
            published, fault = set(), f"{fault} {error}".strip()
        names = sorted({*files, *published, *latest})
        found = [self._pipeline(name, now, files, latest.get(name, []), newest=1) for name in names]
        return [_with_groups(one, found) for one in found], self._short(fault)

    def one(self, name: str) -> Pipeline | None:
        """One pipeline with all its versions; None where nothing is known of it."""
        files = self._files.all()
        runs, fault = self.books.runs([name], SHOWN_RUNS)
        found = self._pipeline(name, self._clock(), files, runs, fault=fault)
        if found.split:
            found = _with_groups(found, self.all()[0])
        known = name in files or found.versions or found.challengers or found.runs
        return found if known else None

    def _pipeline(
        self, name: str, now: datetime, files: Mapping[str, tuple[PipelineDefinition | None, str]],
        runs: Sequence[Run], newest: int | None = None, fault: str = "",
    ) -> Pipeline:  # fmt: skip
        shelf = self._store.challengers
        versions = self._kept(name, self._store.versions, self._store.manifest, newest)
        challengers = self._kept(name, shelf.numbers, shelf.manifest, newest)
        parent = "" if name in files else _parent(name, files, [*versions, *challengers])
        definition, file_fault = files.get(parent or name, (None, ""))
        failures = {number: self._short(why) for number, why in self._models.failures(name).items()}
        return Pipeline(
            name, now, definition, self._short(file_fault), versions, challengers, runs, failures, self._short(fault),
            parent,
        )  # fmt: skip

    def _short(self, words: str) -> str:
        """Without the project's folder, which strangers need not know and nobody need read."""
        return words.replace(self._root, "")

    def _kept(
        self, name: str, numbers: Callable[[str], list[int]], read: Callable[[str, int], Manifest], newest: int | None
    ) -> list[Kept]:
        """Versions or challengers, the newest first; all of them by default."""
        try:
            chosen = numbers(name)[::-1][:newest]
        except ForecasterError:  # a name that no version can have, or a folder that cannot be read
            return []
        found = []
        for number in chosen:
            try:
                found.append(Kept(number, read(name, number)))
            except ForecasterError as error:
                found.append(Kept(number, None, self._short(str(error))))
        return found


def _parent(name: str, files: Mapping[str, tuple[PipelineDefinition | None, str]], kept: Sequence[Kept]) -> str:
    """The split pipeline that another is a group of; by its name alone where nothing of it has been kept yet."""
    manifest = next((one.manifest for one in kept if one.manifest), None)
    for pipeline, (definition, _) in files.items():
        like = definition is not None and definition.split and name.startswith(f"{pipeline}-")
        if like and (manifest is None or group_label(manifest, pipeline) is not None):
            return pipeline
    return ""


def _with_groups(one: Pipeline, every: Sequence[Pipeline]) -> Pipeline:
    """A pipeline with those of its groups that are among others."""
    return replace(one, groups=[other for other in every if other.parent == one.name]) if one.split else one
