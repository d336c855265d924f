"""What TensorFlow says while a network is exported, and nobody needs to hear."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_remarks_on_names"]


@contextmanager
def without_remarks_on_names() -> Iterator[None]:
    """TensorFlow remarks on every input of a signature whose name is no name of Python, and takes it all the same."""
    logger = logging.getLogger("absl")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
