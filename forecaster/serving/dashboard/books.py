"""The ledger as the dashboard reads it: never made by looking at a page, and no reason for a page to fail."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from forecaster.errors import ForecasterError
from forecaster.store.ledger import Ledger
from forecaster.store.ledger_opening import ledger_url
from forecaster.store.ledger_records import Run

__all__ = ["Books"]


class Books:
    """Reads runs; keeps the ledger open between pages.

    Args:
        store: The store's folder.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._open: tuple[object, Ledger] | None = None

    def runs(self, names: Sequence[str] = (), limit: int = 50) -> tuple[list[Run], str]:
        """The latest runs, the newest slot first.

        Args:
            names: Of these pipelines; of all by default.
            limit: How many at most.

        Returns:
            The runs, and why there are none if the ledger cannot be read.
        """
        try:
            with self._lock:
                ledger = self._ledger()
            return (ledger.runs(tuple(names), limit=limit) if ledger else []), ""
        except ForecasterError as error:
            return [], str(error)

    def _ledger(self) -> Ledger | None:
        url = ledger_url(self._store)
        mark: object = str(url)
        if url.get_backend_name() == "sqlite":
            try:
                found = Path(str(url.database)).stat()
            except OSError:
                self.close()
                return None
            mark = (mark, found.st_dev, found.st_ino)
        if self._open is None or self._open[0] != mark:
            self.close()
            self._open = (mark, Ledger(self._store, reading=True))
        return self._open[1]

    def close(self) -> None:
        """Lets go of the ledger."""
        if self._open is not None:
            self._open[1].close()
        self._open = None
