"""What stands around the loading of TensorFlow and Keras, wherever it happens."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["native_chatter_off", "starting"]


@contextmanager
def starting() -> Iterator[None]:
    """For what loads the backend: without its native start-up messages, and without scikit-learn.

    TensorFlow tells standard error about absent GPU drivers before any of its log settings count, so standard error
    is turned away for that moment. Failures to load are exceptions and are seen as ever.
    """
    with native_chatter_off(), without_sklearn():
        yield


@contextmanager
def without_sklearn() -> Iterator[None]:
    """Keeps scikit-learn from being loaded; what needs it later can import it.

    Keras, which TensorFlow loads with itself, loads scikit-learn if it can, and that all of SciPy's statistics, for
    wrappers that nothing here uses: a fifth of the start-up and 60 MB.
    """
    if "sklearn" in sys.modules:
        yield
        return
    sys.modules["sklearn"] = None  # type: ignore[assignment]  # an import fails as if it were not installed
    try:
        yield
    finally:
        del sys.modules["sklearn"]


@contextmanager
def native_chatter_off() -> Iterator[None]:
    """Turns standard error away from what native code writes; exceptions are seen as ever."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
