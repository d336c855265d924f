"""A local Yahoo with two shares, and a patience that does not wait."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from forecaster.series.ticker import Patience
from tests.series.yahoo import DAYS, Yahoo, serving


@pytest.fixture
def yahoo(tmp_path: Path) -> Iterator[Yahoo]:
    with serving(tmp_path / "cache") as server:
        server.add("AAPL", DAYS, [100.0, 110.0, 120.0])
        server.add("MSFT", DAYS, [300.0, 310.0, 320.0])
        yield server


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def patience(slept: list[float]) -> Patience:
    return Patience(attempts=3, pause=1.0, growth=3.0, timeout=5.0, sleep=slept.append)
