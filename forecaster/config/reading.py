"""Reads pipeline and model files: YAML in, checked definitions out, every mistake named with its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from forecaster.config.model import ModelDefinition
from forecaster.config.pipeline import PipelineDefinition
from forecaster.errors import DefinitionError

__all__ = ["parse", "read_model", "read_pipeline", "schema"]

Definition = TypeVar("Definition", bound=BaseModel)
Place = tuple[str | int, ...]


def read_pipeline(path: Path) -> PipelineDefinition:
    """Reads a pipeline file; its name is the file's unless it says another.

    Args:
        path: A YAML file as README.md describes it.

    Returns:
        The definition, defaults filled in.

    Raises:
        DefinitionError: Names file, line, key and remedy of every mistake at once.
    """
    definition = _read(path, PipelineDefinition)
    if definition.name:
        return definition
    return parse({**definition.model_dump(exclude_unset=True), "name": path.stem}, PipelineDefinition, path)


def read_model(path: Path) -> ModelDefinition:
    """Reads a model file; its name is the file's unless it says another.

    Raises:
        DefinitionError: As `read_pipeline`.
    """
    return _read(path, ModelDefinition).named(path.stem)


def schema() -> dict[str, Any]:
    """JSON schemas of the two kinds of files, for editors: `{"pipeline": …, "model": …}`."""
    return {"pipeline": PipelineDefinition.model_json_schema(), "model": ModelDefinition.model_json_schema()}


def parse(
    content: Mapping[str, Any],
    kind: type[Definition],
    path: Path | str,
    lines: Mapping[Place, int] | None = None,
) -> Definition:
    """Checks a mapping against one of the classes above and names all its mistakes."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise DefinitionError("\n".join(_messages(error, kind, path, lines or {}))) from None


def _read(path: Path, kind: type[Definition]) -> Definition:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DefinitionError(f"{path}: no such file; give the path of a YAML file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{path}: cannot be read as UTF-8 text: {error}") from None
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DefinitionError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise DefinitionError(f"{path}: holds {type(content).__name__}, not a mapping; write `key: value` lines")
    lines: dict[Place, int] = dict(_lines(tree, ()))
    doubled = [f"{path}:{line}: {key}: given twice; keep one" for key, line in _doubled(tree)]
    if doubled:
        raise DefinitionError("\n".join(doubled))
    return parse(content, kind, path, lines)


def _lines(node: yaml.Node | None, place: Place) -> Iterator[tuple[Place, int]]:
    """The line of every key and item, by its place in the file."""
    if node is None:
        return
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*place, str(key.value)), key.start_mark.line + 1
            yield from _lines(value, (*place, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*place, index), item.start_mark.line + 1
            yield from _lines(item, (*place, index))


def _doubled(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """Keys that a mapping holds twice (YAML's readers silently take the last)."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield str(key.value), key.start_mark.line + 1
            seen.add(key.value)
            yield from _doubled(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _doubled(item)


def _messages(
    error: ValidationError, kind: type[BaseModel], path: Path | str, lines: Mapping[Place, int]
) -> Iterator[str]:
    for fault in error.errors(include_url=False):
        place = _place(fault["loc"], lines)
        key = ".".join(str(part) for part in place)
        line = next((f":{lines[place[:n]]}" for n in range(len(place), 0, -1) if place[:n] in lines), "")
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            known = _keys(kind, place[:-1])
            message = "unknown key" + (f"; known here: {', '.join(known)}" if known else "")
        elif fault["type"] == "missing":
            message = "missing; it has no default"
        elif fault["type"] != "value_error":
            message = f"{message}; found {fault['input']!r}"
        yield f"{path}{line}: {key + ': ' if key else ''}{message}"


def _place(location: tuple[str | int, ...], lines: Mapping[Place, int]) -> Place:
    """Pydantic's location without the names of the union members that it puts in between."""
    place: Place = ()
    for index, part in enumerate(location):
        last = index == len(location) - 1
        if not lines or (*place, part) in lines or (last and not _is_union_tag(part)):
            place = (*place, part)
    return place


def _is_union_tag(part: str | int) -> bool:
    return isinstance(part, str) and (not part.isidentifier() or part in {"file", "ticker", "int", "str"} or part[0].isupper())


def _keys(kind: type[BaseModel], place: Place) -> list[str]:
    """The keys that are known at a place, where that is one plain class."""
    fields = kind.model_fields
    for part in place:
        inner = fields[part].annotation if isinstance(part, str) and part in fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        fields = inner.model_fields
    return list(fields)
