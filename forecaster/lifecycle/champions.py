"""Changing the champion by hand: a rollback, or the promotion of a challenger.

Both publish a copy under the next number, so that TensorFlow Serving's rule to serve the highest one does the right
thing; nothing is taken away from under a server.
"""

from __future__ import annotations

import logging

from forecaster.errors import DamagedError, StoreError
from forecaster.store import Store, Version

__all__ = ["promote", "rollback", "whole_champion"]

logger = logging.getLogger(__name__)


def whole_champion(store: Store, name: str) -> Version | None:
    """The champion, verified; damaged versions above the newest whole one are taken out of service.

    Args:
        store: Where it lies.
        name: The pipeline's name.

    Returns:
        None if there is no whole version.

    Raises:
        StoreError: A version is not damaged but cannot be used: of a newer format, say, or with a file added.
    """
    while (number := store.champion(name)) is not None:
        try:
            return store.read(name, number)
        except DamagedError as error:
            logger.error("%s version %d was found damaged and is in quarantine now: %s", name, number, error)
            store.quarantine(name, number)
    return None


def rollback(store: Store, name: str, to: int | None = None) -> Version:
    """Publishes an older version again.

    Args:
        store: Where it lies.
        name: The pipeline's name.
        to: Its number; by default the newest one that is older than the champion. A champion that is itself a
            rollback counts as the version that it is a copy of, so that a second rollback goes further back.

    Returns:
        The new champion.

    Raises:
        StoreError: There is no such version, it is damaged, or is the champion.
    """
    champion = store.champion(name)
    if champion is None:
        store.manifest(name)  # says that nothing was published
    origin = _origin(store, name, int(champion or 0))
    if to is None:
        to = max((number for number in store.versions(name) if _origin(store, name, number) < origin), default=None)
    if to is None:
        raise StoreError(f"{name}: no version is older than the champion ({champion}); nothing to roll back to")
    if to == champion:
        raise StoreError(f"{name}: version {to} is the champion already; name an older one with --to")
    version = store.read(name, to)
    source = _origin(store, name, to)
    verdict = f"Rolled back from version {champion} to version {to}. {version.manifest.gate.get('verdict', '')}".strip()
    gate = {**version.manifest.gate, "verdict": verdict, "rollback": {"of": source, "from": champion}}
    return store.republish(version, version.manifest.model_copy(update={"gate": gate}), over=champion)


def promote(store: Store, name: str, challenger: int | None = None) -> Version:
    """Publishes a challenger that was kept, by hand; it is no challenger any more then.

    Where the champion is that network already (a promotion was killed before its end), nothing is published again.

    Args:
        store: Where it lies.
        name: The pipeline's name.
        challenger: Its number; the newest by default.

    Returns:
        The new champion.

    Raises:
        StoreError: There is no such challenger, or it is damaged.
    """
    version = store.challengers.read(name, challenger)
    champion = store.champion(name) or 0
    published = _same_network(store, version, champion) or _republished(store, version, champion)
    store.challengers.remove(name, [version.number])
    return published


def _same_network(store: Store, version: Version, champion: int) -> Version | None:
    """The champion, if its files are those of a challenger, byte by byte."""
    try:
        published = store.read(version.name, champion)
    except StoreError:  # there is none, or a damaged one, which must not be in the way of a promotion
        return None
    return published if published.manifest.files == version.manifest.files else None


def _republished(store: Store, version: Version, champion: int) -> Version:
    """A challenger as the champion's successor."""
    verdict = f"Challenger {version.number} was promoted by hand. {version.manifest.gate.get('verdict', '')}".strip()
    by_hand = {"outcome": "promoted", "by": "hand", "challenger": version.number, "champion": champion or None}
    gate = {**version.manifest.gate, "verdict": verdict, "promotion": by_hand}
    return store.republish(version, version.manifest.model_copy(update={"gate": gate}), over=champion)


def _origin(store: Store, name: str, number: int) -> int:
    """The version that a rollback is a copy of; any other is its own."""
    try:
        told = store.manifest(name, number).gate.get("rollback") or {}
    except StoreError:  # a damaged champion must not be in the way of a rollback
        return number
    return int(told.get("of", number))
