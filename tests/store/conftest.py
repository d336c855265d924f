import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from publisher_process import answer, publisher, send

from forecaster.store import Store


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a power failure can tell whether bytes were synced; one test watches that they are."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(scope="module")
def ask() -> Iterator[Callable[..., int]]:
    """Have a process do one job and return its exit code: -9 when it was killed."""
    with publisher() as process:

        def ask_once(**request: Any) -> int:
            send(process, **request)
            return int(answer(process))

        yield ask_once


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")
