"""What only one process of a project may do at a time: it holds a lock, and a second one is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forecaster.errors import StoreError
from forecaster.store.durable import exclusive, explained, make_folder
from forecaster.store.owner import owner

__all__ = ["sole"]


@contextmanager
def sole(lock: Path, action: str, refusal: str) -> Iterator[None]:
    """Holds a lock, which names its holder; the kernel lets go of it when that process ends, however it ends.

    Args:
        lock: The lock file.
        action: What locking it is for, in an error of the disk: "lock the schedule", say.
        refusal: What is told if another process holds it; `{}` stands for that process.

    Raises:
        StoreError: Another process holds it, or it cannot be written.
    """
    with explained(action, lock.parent):
        make_folder(lock.parent)
        try:
            with exclusive(lock, wait=False):
                lock.write_text(owner().rpartition(":")[0], encoding="utf-8")  # what a person can look for
                yield
        except BlockingIOError:
            holder = lock.read_text(encoding="utf-8", errors="replace") or "unknown"
            raise StoreError(refusal.format(f"{holder}, as host:process:start")) from None
