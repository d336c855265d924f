"""Writing a published network in a format that other programs load.

`savedmodel` and `keras` are copies of what was published. A conversion must forecast the same as the published network,
within the tolerance that publishing itself demands, or it is refused.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from forecaster.errors import DefinitionError, ForecasterError
from forecaster.store import Version

__all__ = ["FORMATS", "export"]

FORMATS = ("savedmodel", "keras", "litert", "onnx")
SUFFIXES = {"keras": ".keras", "litert": ".tflite", "onnx": ".onnx"}
"""Of the formats that are one file."""


def export(version: Version, form: str, out: Path, force: bool = False) -> Path:
    """Writes a version's network to a folder (`savedmodel`) or a file.

    Args:
        version: From the store, verified.
        form: One of `FORMATS`.
        out: Where to; it appears whole or not at all.
        force: Whether what is there may be replaced; of folders only an empty one or a SavedModel, by a SavedModel.

    Returns:
        `out`.

    Raises:
        DefinitionError: No such format; or something is there already that is not replaced.
        ForecasterError: The package for a conversion is missing, the network cannot be converted, or its conversion
            forecasts something else.
    """
    if form not in FORMATS:
        raise DefinitionError(f"--format {form}: is unknown; write {', '.join(FORMATS[:-1])} or {FORMATS[-1]}")
    _check_place(version, form, out, force)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
            made = Path(folder) / "made"
            _write(version, form, made)
            if out.is_dir() and not out.is_symlink():
                out.rename(Path(folder) / "replaced")
            made.replace(out)
    except OSError as error:
        raise ForecasterError(f"--out {out}: cannot be written ({error.strerror}); name another place") from error
    return out


def _check_place(version: Version, form: str, out: Path, force: bool) -> None:
    """Makes sure that nothing is there that is not an export of before."""
    if form in SUFFIXES and out.is_dir():
        file = out / f"{version.name}{SUFFIXES[form]}"
        raise DefinitionError(f"--out {out}: is a folder, and {form} is one file; write --out {file}")
    if out.exists() and not force:
        raise DefinitionError(f"--out {out}: exists; write --force to replace it, or another name")
    if out.is_dir() and any(out.iterdir()) and not (out / "saved_model.pb").is_file():
        raise DefinitionError(f"--out {out}: is a folder of other files, which is not replaced; write another name")


def _write(version: Version, form: str, made: Path) -> None:
    if form == "savedmodel":
        shutil.copytree(version.served, made)
    elif form == "keras":
        shutil.copyfile(version.side / "model.keras", made)
    else:
        from forecaster.forecasting.conversion import CONVERSIONS

        made.write_bytes(CONVERSIONS[form](version))
