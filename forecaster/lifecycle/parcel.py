"""A retraining as a parcel: the champion goes out, a verdict and perhaps a better version come back.

The worker sees a private store with the champion (and the manifests of what else there is), and may be killed at any
time: whatever it does there is forgotten unless the parcel arrives, and swept with the store that it is staged in;
only its checkpoints outlive it. (Where it may not write to the project's folder, it works in the temporary folder and
without checkpoints.) Only the coordinator publishes, and only as the champion's successor, so a retraining that was
done twice is published once.
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecaster.config import PipelineDefinition, Project
from forecaster.config.reading import parse
from forecaster.errors import StoreError
from forecaster.lifecycle.champions import whole_champion
from forecaster.store import Store, Version
from forecaster.store.layout import Layout
from forecaster.store.manifest import MANIFEST_FILE
from forecaster.store.staging import Staging

__all__ = [
    "FUNCTION", "ORDER", "Errand", "Order", "Received", "opened", "pack_answer", "pack_definition", "pack_order",
    "receive", "retrain_in_private", "unpack",
]  # fmt: skip

FUNCTION = f"{__name__}:retrain_in_private"
"""What a worker is told to do."""

ORDER = "order.json"
"""The head of an order: all that it says."""
_RESULT = "result.json"
_PRIVATE = Layout(Path("store"))


@dataclass(frozen=True)
class Order:
    """What a worker must know.

    Attributes:
        definition: The pipeline, with a name.
        project: Where data and model files lie; the worker reads them there.
        base: Folder of the pipeline file.
        offline: Whether to take tickers from their last snapshots.
        only_on_drift: Whether nothing is to be fitted unless errors or inputs have drifted.
    """

    definition: PipelineDefinition
    project: Project
    base: Path
    offline: bool = False
    only_on_drift: bool = False


@dataclass(frozen=True)
class Received:
    """What a parcel held, as it lies in the store now.

    Attributes:
        result: What `RetrainResult.to_json` said; its numbers are those under which things were stored here.
        stored: The new champion, or the challenger that was kept; None where nothing was stored.
    """

    result: dict[str, Any]
    stored: Version | None


def pack_order(order: Order) -> tuple[bytes, int]:
    """An order as bytes, with the champion's files. A damaged champion is quarantined; the one before it serves.

    Returns:
        The bytes, and the champion's number (0 for none).

    Raises:
        StoreError: The store cannot be read.
    """
    name = str(order.definition.name)
    store = Store(order.project.store)
    champion = whole_champion(store, name)
    number = champion.number if champion else 0
    told = {"offline": order.offline, "only_on_drift": order.only_on_drift and champion is not None}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", strict_timestamps=False) as archive:
        archive.writestr(ORDER, _head(order.definition, order.project, order.base, told))
        if champion:
            _add(archive, champion.served, _PRIVATE.served(name, number))
            _add(archive, champion.side, _PRIVATE.side(name, number))
        _add_manifests(archive, store, name, number)
    return buffer.getvalue(), number


def pack_definition(definition: PipelineDefinition, project: Project, base: Path, told: Mapping[str, Any]) -> bytes:
    """A pipeline to be run elsewhere as bytes, with the numbers that its versions have; without any version's files.

    Args:
        definition: The pipeline, with a name.
        project: Where data and model files lie; the worker reads them there.
        base: Folder of the pipeline file.
        told: What else the worker must know.

    Raises:
        StoreError: The store cannot be read.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", strict_timestamps=False) as archive:
        archive.writestr(ORDER, _head(definition, project, base, told))
        _add_manifests(archive, Store(project.store), str(definition.name), 0)
    return buffer.getvalue()


def _head(definition: PipelineDefinition, project: Project, base: Path, told: Mapping[str, Any]) -> str:
    where = {
        "root": str(project.root),
        "base": str(base.resolve()),
        "store": str(project.store.resolve()),
    }
    return json.dumps({"definition": definition.model_dump(mode="json"), **where, **told})


@dataclass(frozen=True)
class Errand:
    """An order as a worker has it.

    Attributes:
        told: All that the order says.
        definition: The pipeline.
        project: That of the coordinator, with a store of the worker's own.
        folder: What the worker writes in here is forgotten with the errand.
    """

    told: dict[str, Any]
    definition: PipelineDefinition
    project: Project
    folder: Path


@contextmanager
def opened(order: bytes) -> Iterator[Errand]:
    """Unpacks an order into a folder of its own, whose checkpoints are those of the coordinator's project."""
    with zipfile.ZipFile(io.BytesIO(order)) as archive:
        told = json.loads(archive.read(ORDER))
    definition, store = parse(told["definition"], PipelineDefinition, "the order"), Path(told["store"])
    with _scratch(Store(store), str(definition.name)) as folder:
        unpack(order, folder)
        project = Project(Path(told["root"]), store_folder=folder / "store")
        _share_checkpoints(project.store, store / ".checkpoints")
        yield Errand(told, definition, project, folder)


@contextmanager
def _scratch(store: Store, name: str) -> Iterator[Path]:
    """A folder that is removed at the end; by the store's next sweep if the process is killed."""
    with ExitStack() as removed:
        try:
            folder = removed.enter_context(store.stage(name)).folder / "errand"
        except StoreError:
            folder = Path(removed.enter_context(tempfile.TemporaryDirectory(prefix="forecaster-")))
        yield folder


def retrain_in_private(order: bytes) -> bytes:
    """What a worker does: retrains in a store of its own, and gives back the result and what was stored there.

    Args:
        order: From `pack_order`.
    """
    from forecaster.forecasting.backend import load_quietly
    from forecaster.lifecycle.retraining import retrain
    from forecaster.pipeline.listener import Listener

    with opened(order) as errand:
        private, name, told = Store(errand.project.store), str(errand.definition.name), errand.told
        before = private.versions(name), private.challengers.numbers(name)
        # the first thing that it hears of: until then the data are compared, and the backend is not needed
        listener = Listener(read=lambda facts, inferred: load_quietly())
        result = retrain(
            errand.definition, errand.project, base=Path(told["base"]), offline=bool(told["offline"]),
            listener=listener, only_on_drift=bool(told["only_on_drift"]),
        )  # fmt: skip
        versions = [private.read(name, number) for number in private.versions(name) if number not in before[0]]
        numbers = [number for number in private.challengers.numbers(name) if number not in before[1]]
        kept = [private.challengers.read(name, number) for number in numbers]
        return pack_answer(json.loads(result.to_json()), versions[-1:], kept[-1:])


def pack_answer(result: dict[str, Any], versions: list[Version], challengers: list[Version]) -> bytes:
    """What a worker gives back: the result, and what it stored."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", strict_timestamps=False) as archive:
        archive.writestr(_RESULT, json.dumps(result))
        for one in versions:
            _add(archive, one.served, _PRIVATE.served(one.name, one.number))
            _add(archive, one.side, _PRIVATE.side(one.name, one.number))
        for one in challengers:
            _add(archive, one.served, _PRIVATE.challenger(one.name, one.number) / "served")
            _add(archive, one.side, _PRIVATE.challenger(one.name, one.number) / "side")
    return buffer.getvalue()


def receive(parcel: bytes, name: str, store: Store, over: int | None = None, mark: str = "") -> Received:
    """Publishes the version that a parcel holds, as the champion's successor, or keeps the challenger, if there is one.

    Args:
        parcel: From `pack_answer`.
        name: The pipeline's.
        store: Where to.
        over: The champion's number in the order; by default any champion is followed.
        mark: Of the attempt, for the manifest.

    Raises:
        StoreError: The parcel was damaged on its way, there is another champion by now, or the store cannot be written.
    """
    with zipfile.ZipFile(io.BytesIO(parcel)) as archive:
        result = json.loads(archive.read(_RESULT))
        if len(archive.namelist()) == 1:
            return Received(result | {"version": None}, None)
    with store.stage(name) as staging:
        unpack(parcel, staging.folder / "parcel")
        private = Store(staging.folder / "parcel" / "store")
        if (number := private.champion(name)) is not None:
            version = _moved(private.read(name, number), staging)
            draft = version.manifest.model_copy(update={"attempt": mark})
            published = store.publish(staging, draft, over=over)
            return Received(result | {"version": published.number}, published)
        challenger = _moved(private.challengers.read(name), staging)
        kept = store.challengers.keep(staging, challenger.manifest.model_copy(update={"attempt": mark}))
        scores = result["scores"] | {"challenger": kept.number}
        return Received(result | {"version": None, "scores": scores}, kept)


def unpack(parcel: bytes, folder: Path) -> None:
    """Writes a parcel's files into a folder."""
    with zipfile.ZipFile(io.BytesIO(parcel)) as archive:
        archive.extractall(folder)


def _add_manifests(archive: zipfile.ZipFile, store: Store, name: str, champion: int) -> None:
    """What other versions and challengers have learnt from, without their files."""
    for number in store.versions(name):
        if number != champion:
            archive.mkdir(f"{_PRIVATE.served(name, number)}")
            _add_file(archive, Layout(store.root).side(name, number), _PRIVATE.side(name, number))
    for number in store.challengers.numbers(name):
        side = Layout(store.root).challenger(name, number) / "side"
        _add_file(archive, side, _PRIVATE.challenger(name, number) / "side")


def _add_file(archive: zipfile.ZipFile, folder: Path, place: Path) -> None:
    with suppress(FileNotFoundError):
        archive.write(folder / MANIFEST_FILE, place / MANIFEST_FILE)


def _add(archive: zipfile.ZipFile, folder: Path, place: Path) -> None:
    for path in sorted(folder.rglob("*")):
        archive.write(path, place / path.relative_to(folder))


def _moved(version: Version, staging: Staging) -> Version:
    """Puts a version's files, which were verified when it was read, into a staging folder of the same file system."""
    staging.served.rmdir()
    version.served.rename(staging.served)
    for path in version.side.iterdir():
        if path.name != MANIFEST_FILE:
            path.rename(staging.side / path.name)
    return version


def _share_checkpoints(private: Path, shared: Path) -> None:
    """Lets a fit go on where a killed one stopped; without a folder that can be written it begins anew."""
    with suppress(OSError):
        shared.mkdir(parents=True, exist_ok=True)
        private.mkdir(exist_ok=True)
        (private / ".checkpoints").symlink_to(shared, target_is_directory=True)
