"""A heat map as a small image: a pixel a value, see-through where it is zero, so that it suits a light and a dark page.

PNG with a palette, written from its specification (https://www.w3.org/TR/png-3/), so that the pages need no library
for plots.
"""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

from forecaster.serving.dashboard.markup import Html, text

__all__ = ["heat_map"]

BELOW_ZERO, ABOVE_ZERO = (217, 112, 10), (40, 128, 232)
"""Colours of -1 and of 1; what lies between is as see-through as it is small."""
HALF = 127
PALETTE = bytes(BELOW_ZERO * HALF + ABOVE_ZERO * (HALF + 2))
OPACITY = bytes(round(255 * abs(index - HALF) / HALF) for index in range(2 * HALF + 1)) + b"\0"
ABSENT = 2 * HALF + 1


def heat_map(values: np.ndarray, words: str) -> Html:
    """An image of values from -1 to 1.

    Args:
        values: (rows, columns), the first row at the bottom; beyond -1 and 1 they are cut, NaN is left empty.
        words: What it shows, for who cannot see it.
    """
    upwards = np.asarray(values, float)[::-1]
    indices = np.where(np.isfinite(upwards), HALF + np.round(HALF * np.clip(np.nan_to_num(upwards), -1, 1)), ABSENT)
    code = base64.b64encode(_png(indices.astype(np.uint8))).decode()
    return Html(f'<img class="heat" src="data:image/png;base64,{code}" alt="{text(words)}">')


def _png(indices: np.ndarray) -> bytes:
    height, width = indices.shape
    rows = np.pad(indices, ((0, 0), (1, 0)))  # each begins with its filter: none
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0),
        b"PLTE": PALETTE,
        b"tRNS": OPACITY,
        b"IDAT": zlib.compress(rows.tobytes(), 9),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks.items())


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
