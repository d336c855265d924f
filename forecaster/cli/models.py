"""`forecaster models`: list, show, promote, rollback, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["models"]

models = typer.Typer(help="What has been published: list, promote, roll back, export.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the published pipeline.", show_default=False)]
Number = Annotated[int | None, typer.Option(help="The newest by default.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


@models.command("list")
def list_models(context: typer.Context, json: Json = False) -> None:
    """Every published version, the champions first, and the challengers that were kept."""
    from forecaster.cli.versions import list_published

    list_published(context.obj, json)


@models.command("show")
def show_model(
    context: typer.Context,
    name: Name,
    version: Number = None,
    challenger: Annotated[int | None, typer.Option(help="A challenger's manifest instead.", show_default=False)] = None,
) -> None:
    """The manifest of a version: definition, data, scores, and why it was published."""
    from forecaster.cli.versions import show_published

    show_published(name, context.obj, version, challenger)


@models.command("promote")
def promote_challenger(context: typer.Context, name: Name, challenger: Number = None, json: Json = False) -> None:
    """Publish a challenger that was kept, by hand, whatever the rule said."""
    from forecaster.cli.versions import change_champion
    from forecaster.lifecycle.champions import promote

    change_champion(name, context.obj, lambda store: promote(store, name, challenger), json)


@models.command("rollback")
def roll_back(
    context: typer.Context,
    name: Name,
    to: Annotated[int | None, typer.Option(help="Version; the one before by default.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Publish an older version again, under a new number, so that a server takes it up."""
    from forecaster.cli.versions import change_champion
    from forecaster.lifecycle.champions import rollback

    change_champion(name, context.obj, lambda store: rollback(store, name, to), json)


@models.command("export")
def export_model(
    context: typer.Context,
    name: Name,
    format: Annotated[str, typer.Option(help="savedmodel, keras, litert or onnx.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder (savedmodel) or file to write.", show_default=False)],
    version: Number = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an export that is there.")] = False,
    json: Json = False,
) -> None:
    """Write a version's network in another format; a converted one must forecast the same, else it is refused."""
    from forecaster.cli.versions import export_version

    export_version(name, context.obj, version, format, out, force, json)
