"""Loading Keras and its backend once, before the first network is built or opened."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["load_quietly", "native_chatter_off", "starting"]


def load_quietly() -> None:
    """Loads Keras and touches its devices; see `starting`. For programs with a screen of their own.

    In a library's place one lets the backend talk.
    """
    with starting():
        import keras

        keras.ops.zeros(1)


@contextmanager
def starting() -> Iterator[None]:
    """For what loads the backend: without its native start-up messages, and without scikit-learn.

    TensorFlow tells standard error about absent GPU drivers before any of its log settings count, so standard error
    is turned away for that moment. Failures to load are exceptions and are seen as ever.

    Keras, which TensorFlow loads with itself, loads scikit-learn if it can, and that all of SciPy's statistics, for
    wrappers that nothing here uses: a fifth of the start-up and 60 MB. What needs scikit-learn later can import it.
    """
    with native_chatter_off():
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
