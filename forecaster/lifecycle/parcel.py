"""A retraining as a parcel: the champion goes out, a verdict and perhaps a better version come back.

The worker sees a private store that holds nothing but the champion, and may be killed at any time: whatever it does
there is forgotten unless the parcel arrives. Only the coordinator writes to the store, and only as the champion's
successor, so a retraining that was done twice is published once.
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecaster.config import PipelineDefinition, Project
from forecaster.config.reading import parse
from forecaster.store import Store, Version
from forecaster.store.layout import Layout
from forecaster.store.manifest import MANIFEST_FILE

__all__ = ["Order", "pack_order", "publish_parcel", "read_result", "retrain_in_private"]

FUNCTION = f"{__name__}:retrain_in_private"
"""What a worker is told to do."""

_ORDER, _RESULT = "order.json", "result.json"


@dataclass(frozen=True)
class Order:
    """What a worker must know.

    Attributes:
        definition: The pipeline, with a name.
        project: Where data and model files lie; the worker reads them there.
        base: Folder of the pipeline file.
        offline: Whether to take tickers from their last snapshots.
    """

    definition: PipelineDefinition
    project: Project
    base: Path
    offline: bool = False


def pack_order(order: Order) -> tuple[bytes, int]:
    """An order as bytes, with the champion's files.

    Returns:
        The bytes, and the champion's number (0 for none).

    Raises:
        StoreError: The champion is damaged; the message says what to do.
    """
    name = str(order.definition.name)
    store = Store(order.project.store)
    champion = store.champion(name) or 0
    told = {
        "definition": order.definition.model_dump(mode="json"),
        "root": str(order.project.root),
        "base": str(order.base.resolve()),
        "offline": order.offline,
    }
    return _packed(_ORDER, told, [store.read(name, champion)] if champion else []), champion


def retrain_in_private(order: bytes) -> bytes:
    """What a worker does: retrains in a store of its own, and gives back the result and what was published there.

    Args:
        order: From `pack_order`.
    """
    from forecaster.forecasting.backend import load_quietly
    from forecaster.lifecycle.retraining import retrain

    load_quietly()
    with tempfile.TemporaryDirectory(prefix="forecaster-") as scratch:
        told = _unpacked(order, Path(scratch), _ORDER)
        definition = parse(told["definition"], PipelineDefinition, "the order")
        project = Project(Path(told["root"]), store_folder=Path(scratch) / "store")
        private, name = Store(project.store), str(definition.name)
        before = private.versions(name)
        result = retrain(definition, project, base=Path(told["base"]), offline=told["offline"])
        fresh = [private.read(name, number) for number in private.versions(name) if number not in before]
        return _packed(_RESULT, json.loads(result.to_json()), fresh[-1:])


def read_result(parcel: bytes) -> dict[str, Any]:
    """What `RetrainResult.to_json` said."""
    with zipfile.ZipFile(io.BytesIO(parcel)) as archive:
        result: dict[str, Any] = json.loads(archive.read(_RESULT))
        return result


def publish_parcel(parcel: bytes, name: str, store: Store, over: int, mark: str) -> Version | None:
    """Publishes the version that a parcel holds, if there is one, as the champion's successor.

    Args:
        parcel: From `retrain_in_private`.
        name: The pipeline's.
        store: Where to.
        over: The champion's number in the order.
        mark: Of the attempt, for the manifest.

    Raises:
        StoreError: The parcel was damaged on its way, there is another champion by now, or the store cannot be written.
    """
    with store.stage(name) as staging:
        inside = staging.folder / "parcel"
        _unpacked(parcel, inside, _RESULT)
        private = Store(inside / "store")
        number = private.champion(name)
        if number is None:
            return None
        version = private.read(name, number)
        staging.served.rmdir()
        version.served.rename(staging.served)
        for path in version.side.iterdir():
            if path.name != MANIFEST_FILE:
                path.rename(staging.side / path.name)
        return store.publish(staging, version.manifest.model_copy(update={"attempt": mark}), over=over)


def _packed(head: str, told: dict[str, Any], versions: list[Version]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(head, json.dumps(told))
        for version in versions:
            layout = Layout(Path("store"))
            for folder, place in (
                (version.served, layout.served(version.name, version.number)),
                (version.side, layout.side(version.name, version.number)),
            ):
                for path in sorted(folder.rglob("*")):
                    archive.write(path, place / path.relative_to(folder))
    return buffer.getvalue()


def _unpacked(parcel: bytes, folder: Path, head: str) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(parcel)) as archive:
        archive.extractall(folder)
    told: dict[str, Any] = json.loads((folder / head).read_text(encoding="utf-8"))
    return told
