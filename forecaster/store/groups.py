"""The groups of a split pipeline, as they lie in the store: each under a name of its own."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from forecaster.config.groups import GroupsDefinition
from forecaster.store.manifest import Manifest
from forecaster.store.versions import Store

__all__ = ["group_label", "published_groups"]


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
        if member.startswith(f"{name}-"):
            manifest = store.manifest(member)
            if (label := group_label(manifest, name)) is not None:
                found[label] = manifest
    return found


def group_label(manifest: Manifest, pipeline: str) -> str | None:
    """Of which group of a split pipeline a version is; None where it is of none, or another release's of some kind.

    Args:
        manifest: The version's.
        pipeline: Name of the split pipeline.
    """
    data = manifest.definition.get("data")
    try:
        groups = GroupsDefinition.model_validate(data.get("groups")) if isinstance(data, Mapping) else None
    except ValidationError:
        return None
    if groups and groups.only is not None and groups.name_of(pipeline, groups.only) == manifest.name:
        return groups.only
    return None
