"""`inspection.json` beside a version: what was found inside its network, for readers who have no Keras.

`forecaster.forecasting.inspection.document` says what stands in it, beside `made_up`: what a network of symbols made up
behind the end of its data when it was published, as text; empty for others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forecaster.errors import StoreError

__all__ = ["INSPECTION_FILE", "INSPECTION_FORMAT", "read_inspection", "write_inspection"]

INSPECTION_FILE = "inspection.json"
INSPECTION_FORMAT = 1


def write_inspection(side: Path, document: Mapping[str, Any]) -> None:
    """Writes it into a folder of side files.

    Args:
        side: Of a staged version.
        document: JSON types; no NaN.

    Raises:
        OSError: The file cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as side:
    ...     write_inspection(Path(side), {"format_version": 1, "model": "lstm"})
    ...     read_inspection(Path(side))
    {'format_version': 1, 'model': 'lstm'}
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    (side / INSPECTION_FILE).write_text(text + "\n", encoding="utf-8")


def read_inspection(side: Path) -> dict[str, Any] | None:
    """Reads it; None where the version has none.

    Args:
        side: The folder of a version's side files.

    Raises:
        StoreError: It is damaged, or of a format that this program does not know.
    """
    path = side / INSPECTION_FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read ({error}); publish the pipeline again (forecaster run)") from error
    if not isinstance(found, dict) or found.get("format_version") != INSPECTION_FORMAT:
        raise StoreError(f"{path} is not of format {INSPECTION_FORMAT}, which this program reads; upgrade forecaster")
    return found
