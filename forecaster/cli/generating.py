"""`predict` with a wish: sequences of symbols that a published version makes up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecaster.cli.console import messages
from forecaster.config import PipelineDefinition, Project, TextData
from forecaster.config.reading import parse
from forecaster.errors import DataError
from forecaster.series.names import listed, unlisted
from forecaster.series.text import Unit, joined, split_text
from forecaster.store import Store, Version

if TYPE_CHECKING:
    from forecaster.forecasting.generation import Generated, Wish
    from forecaster.forecasting.published_symbols import PublishedSymbols

__all__ = ["generate_published"]


def generate_published(
    name: str,
    project: Path | None,
    data: Path | None,
    out: Path | None,
    number: int | None,
    as_json: bool,
    asked: Mapping[str, Any],
    superfluous: Sequence[str] = (),
    known: Path | None = None,
) -> None:
    """Makes up what follows a beginning, or the end of the data, and prints it.

    Args:
        name: Of the published pipeline.
        project: Where it lies.
        data: A file to go on from, instead of that of the training.
        out: Where to write what would be printed.
        number: Of the version; the newest by default.
        as_json: Whether to print JSON.
        asked: `begin`, and the fields of `generation.Wish` that were told.
        superfluous: Options that were told and have no meaning here.
        known: A file with the known covariates behind the end of the data.

    Raises:
        DataError: The version forecasts numbers, or as `generation.generate` and `continuation.go_on`.
    """
    from forecaster.forecasting.generation import Wish

    version = Store(Project.find(project).store).read(name, number)
    definition = parse(version.manifest.definition, PipelineDefinition, version.side / "manifest.json")
    _check(name, definition, "--data" if data else "--known" if known else "", asked, superfluous)
    wish = Wish(**{key: value for key, value in asked.items() if key != "begin"})
    unit: Unit | None = definition.data.unit if isinstance(definition.data, TextData) else None
    begin = split(str(asked.get("begin", "")), unit)
    made = _behind(version, begin, wish) if "begin" in asked else _behind_data(version, definition, data, known, wish)
    text = _told(made, begin, unit, as_json)
    if out:
        out.write_text(text + "\n", encoding="utf-8")
        messages.print(f"written to {out}", markup=False)
    else:
        print(text)  # noqa: T201 - untouched by the console's wrapping


def _check(
    name: str, definition: PipelineDefinition, file: str, asked: Mapping[str, Any], superfluous: Sequence[str]
) -> None:
    if not definition.symbolic:
        raise DataError(f"{name} forecasts numbers; --{next(iter(asked))} is for symbols, leave it out")
    if superfluous:
        raise DataError(f"{superfluous[0]} does not go with --{next(iter(asked))}; leave one of the two out")
    drawn = [key for key in ("samples", "temperature", "seed") if key in asked]
    if "beam" in asked and drawn:
        raise DataError(f"--beam searches and draws nothing, so --{drawn[0]} means nothing; leave one of the two out")
    if file and "begin" in asked:
        raise DataError(f"{file} and --begin both say what to go on from; leave one of the two out")


def split(text: str, unit: Unit | None) -> list[str]:
    """The symbols of a beginning; those of a column of names are told as `listed` writes them."""
    return split_text(text, unit) if unit else unlisted(text)


def _behind(version: Version, begin: Sequence[str], wish: Wish) -> list[Generated]:
    """What follows a beginning."""
    _tell_strange(set(begin) - set(version.manifest.vocabulary))
    return _opened(version).generate(begin, wish)


def _behind_data(
    version: Version, definition: PipelineDefinition, data: Path | None, known: Path | None, wish: Wish
) -> list[Generated]:
    """What follows the end of the data."""
    from forecaster.forecasting.published_symbols import strangers
    from forecaster.series.future import read_known
    from forecaster.series.source import load

    path = str(data) if data else version.manifest.data.get("path")
    source = definition.data.model_copy(update={"path": path}) if path else definition.data
    panel = load(source, Path(), Path(), False)
    if known:
        panel = read_known(panel, known, source)
    _tell_strange(strangers(panel, version.manifest))
    messages.print(f"going on behind {panel.stamps(panel.last[:1])[0]}", markup=False)
    return _opened(version).go_on(panel, wish)


def _tell_strange(symbols: Iterable[str]) -> None:
    if strange := sorted(symbols):
        shown = ", ".join(repr(symbol) for symbol in strange[:5]) + (" …" if len(strange) > 5 else "")
        messages.print(f"not in the training part, so read as the unknown symbol: {shown}", markup=False)


def _opened(version: Version) -> PublishedSymbols:
    from forecaster.forecasting.backend import load_quietly
    from forecaster.forecasting.published_symbols import PublishedSymbols

    load_quietly()
    return PublishedSymbols(version)


def _told(made: Sequence[Generated], begin: Sequence[str], unit: Unit | None, as_json: bool) -> str:
    """All sequences, each behind the beginning that was told."""

    def written(one: Generated) -> str:
        symbols = [*begin, *one.symbols]
        return joined(symbols, unit) if unit else listed(symbols)

    if as_json:
        rows = [
            {"text": written(one), "symbols": list(one.symbols), "log_probability": one.log_probability}
            for one in made
        ]  # fmt: skip
        return json.dumps(rows, indent=2, ensure_ascii=False)
    if len(made) == 1:
        return written(made[0])
    return "\n".join(
        f"--- {number} of {len(made)}, log probability {one.log_probability:.2f}\n{written(one)}"
        for number, one in enumerate(made, start=1)
    )
