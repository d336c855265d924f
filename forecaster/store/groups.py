"""The groups of a split pipeline, as they lie in the store: each under a name of its own."""

from __future__ import annotations

from forecaster.config.groups import GroupsDefinition
from forecaster.store.manifest import Manifest
from forecaster.store.versions import Store

__all__ = ["published_groups"]


def published_groups(store: Store, name: str) -> dict[str, Manifest]:
    """The champions of a split pipeline's groups by their labels; none where it is not split.

    Args:
        store: Where they lie.
        name: The pipeline's.

    Raises:
        StoreError: A manifest is damaged.
    """
    found: dict[str, Manifest] = {}
    for member in store.names():
        if not member.startswith(f"{name}-"):
            continue
        manifest = store.manifest(member)
        told = manifest.definition.get("data", {}).get("groups")
        groups = GroupsDefinition.model_validate(told) if told else None
        if groups and groups.only is not None and groups.name_of(name, groups.only) == member:
            found[groups.only] = manifest
    return found
