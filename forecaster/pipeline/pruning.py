"""What is kept of a pipeline: its newest versions and challengers, and the price snapshots that any of them needs."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from forecaster.config import FileData, PipelineDefinition, Project, TickerData, read_pipeline
from forecaster.errors import ForecasterError
from forecaster.series.source import SNAPSHOTS, find_file
from forecaster.store import Manifest, Store

__all__ = ["prune"]

logger = logging.getLogger(__name__)


def prune(definition: PipelineDefinition, project: Project, store: Store) -> list[Path]:
    """Removes all but the `keep` newest versions and challengers of a pipeline, never the champion.

    With them go the snapshots of tickers that they were made from, unless a version or challenger that stays, of any
    pipeline, was made from the same, or a pipeline file of the project asks for it. What a person fetched is left
    alone, since no version was made from it. Other data are not copied, so there is nothing to remove of them.

    Args:
        definition: The pipeline, with a name.
        project: Whose snapshots.
        store: Where the versions lie.

    Returns:
        The snapshots that were removed.

    Raises:
        StoreError: The store cannot be read or written.
    """
    name = str(definition.name)
    before = _named(store, [name])
    store.prune(name, definition.keep)
    store.challengers.prune(name, definition.keep)
    if not before or before == _named(store, [name]):
        return []
    needed = _named(store, {*store.names(), *store.challengers.names()})
    if needed is None:
        return []
    unneeded = before - needed - _asked_for(definition, project)
    return [file for one in sorted(unneeded) if (file := _removed(project.root / SNAPSHOTS / one))]


def _manifests(store: Store, name: str) -> Iterator[Manifest]:
    for number in store.versions(name):
        yield store.manifest(name, number)
    for number in store.challengers.numbers(name):
        yield store.challengers.manifest(name, number)


def _named(store: Store, names: Iterable[str]) -> set[str] | None:
    """The files that pipelines' versions were made from: snapshots by their names, others by the last part of theirs.

    None where a manifest is damaged: nobody knows what that version needs.
    """
    try:
        told = [manifest.data for name in names for manifest in _manifests(store, name)]
    except ForecasterError:
        return None
    found = {str(data["snapshot"]).partition(" of ")[0] for data in told if "snapshot" in data}
    return found | {Path(str(data["path"])).name for data in told if "path" in data}


def _asked_for(definition: PipelineDefinition, project: Project) -> set[str]:
    """The files that pipelines read: this one and those of the project; what cannot be read asks for nothing."""
    from forecaster.series.market import snapshot_name

    blocks = [definition.data]
    for path in (project.root / "pipelines").glob("*.y*ml"):
        with suppress(ForecasterError):
            blocks.append(read_pipeline(path).data)
    found = {snapshot_name(data) for data in blocks if isinstance(data, TickerData)}
    return found | {find_file(data.path, project.root).name for data in blocks if isinstance(data, FileData)}


def _removed(file: Path) -> Path | None:
    """Removes a snapshot and what stands beside it; data that are no snapshot are left alone."""
    beside = file.with_name(f"{file.name}.json")
    if not (file.is_file() and beside.is_file()):
        return None
    try:
        file.unlink()
        beside.unlink()
    except OSError as error:
        logger.warning("%s: an old snapshot could not be removed (%s)", file, error.strerror)
        return None
    logger.info("%s: no version needs this snapshot any more; removed", file.name)
    return file
