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


def export(version: Version, form: str, out: Path, force: bool = False) -> Path:
    """Writes a version's network to a folder (`savedmodel`) or a file.

    Args:
        version: From the store, verified.
        form: One of `FORMATS`.
        out: Where to; it appears whole or not at all.
        force: Whether what is there may be replaced.

    Returns:
        `out`.

    Raises:
        DefinitionError: No such format; or something is there already.
        ForecasterError: The package for a conversion is missing, the network cannot be converted, or its conversion
            forecasts something else.
    """
    if form not in FORMATS:
        raise DefinitionError(f"--format {form}: is unknown; write {', '.join(FORMATS[:-1])} or {FORMATS[-1]}")
    if out.exists() and not force:
        raise DefinitionError(f"--out {out}: exists; write --force to replace it, or another name")
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


def _write(version: Version, form: str, made: Path) -> None:
    if form == "savedmodel":
        shutil.copytree(version.served, made)
    elif form == "keras":
        shutil.copyfile(version.side / "model.keras", made)
    else:
        from forecaster.forecasting.conversion import CONVERSIONS

        made.write_bytes(CONVERSIONS[form](version))
