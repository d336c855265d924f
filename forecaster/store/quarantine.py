"""Taking a damaged version out of service, so that the last good one is the champion again."""

from contextlib import suppress
from pathlib import Path

from forecaster.store.durable import exclusive, make_folder, sync
from forecaster.store.layout import Layout

__all__ = ["quarantine"]


def quarantine(layout: Layout, name: str, number: int) -> Path | None:
    """Move a version to `.quarantine`, where no server looks; its number is not given to another.

    Args:
        layout: The store's paths.
        name: The pipeline's name.
        number: The version's number.

    Returns:
        Where it lies now; None if it was gone already.

    Raises:
        OSError: If it cannot be moved.

    >>> quarantine(Layout(Path("no", "such", "store")), "energy", 1) is None
    True
    """
    served, target = layout.served(name, number), layout.quarantined(name, number)
    if not served.is_dir():
        return None
    make_folder(layout.staging)
    with exclusive(layout.lock):
        make_folder(target)
        with suppress(FileNotFoundError):
            served.rename(target / "served")  # from here on it is not the champion
            sync(served.parent)
        with suppress(FileNotFoundError):
            layout.side(name, number).rename(target / "side")
        sync(target)
    return target
