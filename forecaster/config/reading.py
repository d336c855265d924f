"""Reads pipeline and model files: YAML in, checked definitions out, every mistake named with its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from forecaster.config.mistakes import Place, mistakes
from forecaster.config.model import ModelDefinition
from forecaster.config.pipeline import PipelineDefinition
from forecaster.errors import DefinitionError

__all__ = ["parse", "read_file", "read_model", "read_pipeline", "schema"]

Definition = TypeVar("Definition", bound=BaseModel)


def read_pipeline(path: Path) -> PipelineDefinition:
    """Reads a pipeline file; its name is the file's unless it says another.

    Args:
        path: A YAML file as README.md describes it.

    Returns:
        The definition, defaults filled in.

    Raises:
        DefinitionError: Names file, line, key and remedy of every mistake at once.
    """
    return read_file(path, PipelineDefinition, named=True)


def read_model(path: Path) -> ModelDefinition:
    """Reads a model file; its name is the file's unless it says another.

    Raises:
        DefinitionError: As `read_pipeline`.
    """
    return read_file(path, ModelDefinition, named=True)


def schema() -> dict[str, Any]:
    """JSON schemas of the two kinds of files, for editors: `{"pipeline": …, "model": …}`."""
    return {"pipeline": PipelineDefinition.model_json_schema(), "model": ModelDefinition.model_json_schema()}


def parse(
    content: Mapping[str, Any],
    kind: type[Definition],
    path: Path | str,
    lines: Mapping[Place, int] | None = None,
) -> Definition:
    """Checks a mapping against one of the classes above.

    Args:
        content: The mapping.
        kind: The class.
        path: What errors call the place that it comes from.
        lines: The line of each key and item in a file.

    Raises:
        DefinitionError: Names all its mistakes.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise DefinitionError("\n".join(mistakes(error, content, kind, path, lines or {}))) from None


def read_file(path: Path, kind: type[Definition], *, named: bool = False) -> Definition:
    """Reads a YAML file as one of the classes of this room.

    Args:
        path: The file.
        kind: The class.
        named: Whether what it describes is called as the file where it says no `name`.

    Raises:
        DefinitionError: As `read_pipeline`.
    """
    content, tree = _load(_text(path), path)
    try:
        lines: dict[Place, int] = dict(_lines(tree, ()))
    except RecursionError:
        raise DefinitionError(f"{path}: holds itself through an alias (*); write it out") from None
    if named and content.get("name") is None:
        content["name"] = path.stem
    told = [f"{path}:{line}: {key}: given twice; keep one" for key, line in _doubled(tree)]
    try:
        definition = parse(content, kind, path, lines)
    except DefinitionError as error:
        told.append(str(error))
    if told:
        raise DefinitionError("\n".join(told))
    return definition


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DefinitionError(f"{path}: no such file; give the path of a YAML file") from None
    except IsADirectoryError:
        raise DefinitionError(f"{path}: is a folder; give the path of a YAML file in it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{path}: cannot be read as UTF-8 text: {error}") from None


def _load(text: str, path: Path) -> tuple[dict[Any, Any], yaml.Node | None]:
    """What a YAML text says, and its tree with the lines."""
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        said = ", ".join(part for part in (error.context, error.problem) if part)
        raise DefinitionError(f"{path}{line}: not valid YAML: {said}") from None
    except yaml.YAMLError as error:
        raise DefinitionError(f"{path}: not valid YAML: {error}") from None
    if content is None:
        raise DefinitionError(f"{path}: is empty; write `key: value` lines")
    if not isinstance(content, dict):
        raise DefinitionError(
            f"{path}: holds {KINDS.get(type(content), 'text')}, not a mapping; write `key: value` lines"
        )
    return content, tree


KINDS = {list: "a list", int: "a number", float: "a number", bool: "true or false"}


def _lines(node: yaml.Node | None, place: Place) -> Iterator[tuple[Place, int]]:
    """The line of every key and item, by its place in the file."""
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
