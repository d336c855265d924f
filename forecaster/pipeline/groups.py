"""Pipelines whose series are split into groups: each group is a pipeline of its own, named after both.

So a group has a champion, challengers, a ledger's entry, a lease, drift and a promotion of its own, and everything that
holds for a pipeline holds for it. What makes them one run is done here and in `group_run`: which groups there are, and
what all of them together come to.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forecaster.config import FileData, PipelineDefinition
from forecaster.config.model import checked_name
from forecaster.errors import DefinitionError
from forecaster.series.source import find_groups
from forecaster.store import Manifest

__all__ = ["groups_of", "refuse_groups", "refuse_namesake"]


def groups_of(definition: PipelineDefinition, base: Path) -> dict[str, PipelineDefinition]:
    """The groups' own pipelines by their labels, in order; none for a pipeline that is not split.

    Args:
        definition: The pipeline, with a name.
        base: Folder of the pipeline file, for relative paths.

    Raises:
        DataError: The data cannot be read, a row is without a label, or a series has two.
        DefinitionError: Two groups would have one name, or one too long.
    """
    data = definition.data
    if not (isinstance(data, FileData) and data.groups and data.groups.split):
        return {}
    members: dict[str, PipelineDefinition] = {}
    for label in find_groups(data, base):
        name = data.groups.name_of(str(definition.name), label)
        try:
            checked_name(name)
        except ValueError as error:
            raise DefinitionError(f"{definition.name}: group {label!r}: {error}; shorten the pipeline's name") from None
        own = data.model_copy(update={"groups": data.groups.one(label)})
        members[label] = definition.model_copy(update={"name": name, "data": own})
    names = [str(member.name) for member in members.values()]
    if doubled := [name for place, name in enumerate(names) if name in names[:place]]:
        raise DefinitionError(f"{definition.name}: two groups would be called {doubled[0]}; rename one of them")
    return members


def refuse_groups(definition: PipelineDefinition) -> None:
    """Makes sure that a definition is that of one model.

    Raises:
        DefinitionError: It has one for each group.
    """
    if definition.split:
        raise DefinitionError(
            f"{definition.name}: has a model for each group, so it is not fitted as one; name one under groups.only, "
            "or use the command line (forecaster run, retrain), which goes through them"
        )


def refuse_namesake(definition: PipelineDefinition, champion: Manifest) -> None:
    """Makes sure that a group's pipeline does not go on where one without groups published, nor the other way round.

    Args:
        definition: The pipeline, with a name.
        champion: What is published under that name.

    Raises:
        DefinitionError: They are two, and would publish over each other's champion.
    """
    had, has = _group(champion.definition), _group(definition.model_dump(mode="json"))
    if bool(had) == bool(has):
        return
    whose = [f"a pipeline's group ({group})" if group else "a pipeline without groups" for group in (had, has)]
    raise DefinitionError(
        f"{definition.name}: version {champion.version} is that of {whose[0]}, and this is {whose[1]}; give one of "
        "them another `name`"
    )


def _group(definition: Mapping[str, Any]) -> str:
    """The one group that a definition is of; empty where there is none."""
    return str((definition.get("data", {}).get("groups") or {}).get("only") or "")
