"""The store is watched: a new version is verified, loaded and warmed before the old one is let go."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from forecaster.errors import ForecasterError, StoreError
from forecaster.serving.models import Loaded, Models
from forecaster.serving.savedmodel import SavedModel, prepare
from forecaster.serving.shelves import Shelf
from forecaster.store import Version

__all__ = ["Watcher", "warm_up"]

LOG = logging.getLogger("forecaster.serving")
RETRY = 30.0
"""Seconds until a version that could not be loaded is tried again."""


class Watcher:
    """Keeps `Models` in step with the shelves.

    Args:
        shelves: Where versions come from; where two know one name, the first counts.
        models: What is served.
        poll: Seconds between two looks.
        changed: Called with the model's name when what is served of it has changed.
        failed: Called with a model's name when a version could not be loaded.

    Attributes:
        ready: Set once the shelves have been looked through.
    """

    def __init__(
        self,
        shelves: Sequence[Shelf],
        models: Models,
        poll: float,
        changed: Callable[[str], None] = lambda name: None,
        failed: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._shelves, self._models, self._poll = shelves, models, poll
        self._changed, self._failed = changed, failed
        self._tried: dict[tuple[str, int], float] = {}
        self.ready = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="store-watcher", daemon=True)
        self._looking = threading.Lock()

    def start(self) -> None:
        """Looks now and then every few seconds, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, when the version that it may be loading is loaded."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        prepare()
        while True:
            try:
                self.look()
            except Exception:  # a fault of ours must not end the watch: later versions would never be seen
                LOG.exception("the store could not be looked at; what is loaded stays")
            if self._stop.wait(self._poll):
                return

    def look(self) -> None:
        """Brings what is served up to date with the shelves; a shelf that cannot be read leaves all as it is.

        Once the watcher is to stop, what is being loaded is the last.
        """
        with self._looking:
            places: dict[str, Shelf] = {}
            try:
                for shelf in self._shelves:
                    places = dict.fromkeys(shelf.names(), shelf) | places
            except StoreError as error:
                LOG.error("the store cannot be read; what is loaded stays", extra={"reason": str(error)})
                return
            for name, shelf in places.items():
                if self._stop.is_set():
                    return
                try:
                    self._bring_up_to_date(shelf, name)
                except StoreError as error:
                    LOG.error("model cannot be read; what is loaded stays", extra={"model": name, "reason": str(error)})
            for name in set(self._models.known()) - places.keys():
                LOG.info("model is gone", extra={"model": name})
                self._models.replace(name, {}, {})
                self._changed(name)
        self.ready.set()

    def _bring_up_to_date(self, shelf: Shelf, name: str) -> None:
        """Loads the newest versions that can be loaded, as many as are kept; the others stay until then."""
        before = self._models.loaded(name)
        numbers = sorted(shelf.versions(name), reverse=True)
        known = self._models.failures(name)
        kept: dict[int, Loaded] = {}
        failures: dict[int, str] = {}
        for number in numbers:
            try:
                kept[number] = self._version(shelf, name, number, before.get(number), number in known)
            except ForecasterError as error:
                failures[number] = str(error)
            except _NotYet:
                failures[number] = known[number]
            if len(kept) == shelf.kept or self._stop.is_set():
                break
        if set(kept.values()) != set(before.values()) or failures != known:
            self._models.replace(name, kept, failures)
            self._changed(name)
            LOG.info("serving", extra={"model": name, "versions": sorted(kept), "failed": sorted(failures)})
            gc.collect()  # a graph holds on to itself; without this, old ones wait for a full collection by chance

    def _version(self, shelf: Shelf, name: str, number: int, old: Loaded | None, failed: bool) -> Loaded:
        if old is not None and old.identity == identity(old.version):
            return old
        if failed and time.monotonic() < self._tried.get((name, number), 0.0) + RETRY:
            raise _NotYet
        self._tried[name, number] = time.monotonic()
        try:
            return load(shelf.read(name, number))
        except ForecasterError as error:
            self._failed(name)
            LOG.error("version not loaded", extra={"model": name, "version": number, "reason": str(error)})
            raise


class _NotYet(Exception):  # noqa: N818 - it is no fault
    """A version that failed is not tried again so soon."""


def identity(version: Version) -> object:
    """Tells a version's files from those of another that was published under the same number later."""
    try:
        told = (version.side / "manifest.json").stat()
    except OSError:
        return None
    return told.st_ino, told.st_mtime_ns, told.st_size


def load(version: Version) -> Loaded:
    """Loads and warms a version.

    Raises:
        StoreError: It cannot be loaded, or its first call fails.
    """
    mark = identity(version)
    model = SavedModel(version.served)
    try:
        warm_up(model, version)
    except BaseException:  # raised again: nobody else could close it
        model.close()
        raise
    return Loaded(version, model, mark)


def warm_up(model: SavedModel, version: Version) -> None:
    """Calls every signature once with zeros, so that no request pays for the first call.

    Raises:
        StoreError: A call fails, or there is no `serving_default`.
    """
    if "serving_default" not in model.signatures:
        raise StoreError(f"{version.served}: has no signature serving_default; publish the pipeline again")
    for signature in model.signatures.values():
        inputs: dict[str, Any] = {}
        for name, spec in signature.inputs.items():
            shape = tuple(1 if size == -1 else size for size in spec.shape or ())
            inputs[name] = np.full(shape, b"" if spec.dtype == object else 0, spec.dtype)
        try:
            model.run(signature, inputs)
        except Exception as error:  # a graph may fail in any way; each leaves the old version serving
            raise StoreError(
                f"{version.served}: the first call of {signature.name} failed ({error}); publish the pipeline again"
            ) from error
