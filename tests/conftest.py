"""What holds for all tests."""

import gc
import os

import pytest

from tests.browser import opened

os.environ.setdefault(
    "TF_NUM_INTRAOP_THREADS", "1"
)  # the networks here are tiny, and pytest-xdist shares the cores out


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Chromium; tests that need it are skipped where it is not installed."""
    with opened(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def pytest_collection_finish():
    """Graphs of networks are many small objects, and Python would look for garbage among them very often."""
    gc.set_threshold(20_000, 20, 10)
