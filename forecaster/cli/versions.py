"""What `forecaster models` does: versions and challengers as a table, a new champion, an export."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.table import Table

from forecaster.cli.console import console, messages, near
from forecaster.config import Project
from forecaster.errors import StoreError
from forecaster.store import Manifest, Store, Version

__all__ = ["change_champion", "export_version", "list_published", "show_published"]


def list_published(project: Path | None, as_json: bool) -> None:
    """A row a version and a challenger."""
    store = Store(Project.find(project).store)
    names = sorted({*store.names(), *store.challengers.names()})
    rows = [row for name in names for row in (*_versions(store, name), *_challengers(store, name))]
    if as_json:
        print(json.dumps(rows, indent=2))  # noqa: T201
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "version", "", "model", "created", "why"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(
            str(row["name"]), str(row["version"]), "" if row["role"] == "version" else str(row["role"]),
            str(row["model"]), str(row["created"]), str(row["verdict"]),
        )  # fmt: skip
    console.print(table if rows else "nothing has been published yet; forecaster run PIPELINE.yaml does that")


def _versions(store: Store, name: str) -> list[dict[str, Any]]:
    champion = store.champion(name)
    return [
        _row(name, number, "champion" if number == champion else "version", store.manifest)
        for number in reversed(store.versions(name))
    ]


def _challengers(store: Store, name: str) -> list[dict[str, Any]]:
    shelf = store.challengers
    return [_row(name, number, "challenger", shelf.manifest) for number in reversed(shelf.numbers(name))]


def _row(name: str, number: int, role: str, read: Callable[[str, int], Manifest]) -> dict[str, Any]:
    """One version; a damaged one is shown with what is wrong."""
    told = {"name": name, "version": number, "role": role, "champion": role == "champion"}
    try:
        manifest = read(name, number)
    except StoreError as error:
        return {**told, "model": None, "created": None, "verdict": f"CANNOT BE USED: {error}"}
    created = manifest.created.isoformat(timespec="seconds")
    return {**told, "model": manifest.model, "created": created, "verdict": manifest.gate.get("verdict", "")}


def show_published(name: str, project: Path | None, number: int | None, challenger: int | None) -> None:
    """The manifest as JSON."""
    store = Store(Project.find(project).store)
    manifest = store.challengers.manifest(name, challenger) if challenger else store.manifest(name, number)
    print(manifest.to_json(), end="")  # noqa: T201


def change_champion(name: str, project: Path | None, change: Callable[[Store], Version], as_json: bool) -> None:
    """Promotes or rolls back, and says what is served now."""
    store = Store(Project.find(project).store)
    store.sweep()
    published = change(store)
    verdict = published.manifest.gate.get("verdict", "")
    if as_json:
        told = {"name": name, "version": published.number, "path": str(published.served), "verdict": verdict}
        print(json.dumps(told, indent=2))  # noqa: T201
        return
    console.print(f"{name} version {published.number} is the champion. {verdict}", markup=False, soft_wrap=True)
    console.print(f"SavedModel  {near(published.served)}", markup=False, soft_wrap=True)


def export_version(
    name: str, project: Path | None, number: int | None, form: str, out: Path, force: bool, as_json: bool
) -> None:
    """Writes a version in another format."""
    from forecaster.forecasting.backend import load_quietly
    from forecaster.forecasting.export import export

    version = Store(Project.find(project).store).read(name, number)
    if form in ("litert", "onnx"):
        load_quietly()
    export(version, form, out, force)
    if as_json:
        told = {"name": name, "version": version.number, "format": form, "path": str(out)}
        print(json.dumps(told, indent=2))  # noqa: T201
        return
    messages.print(f"{name} version {version.number} written to {out} ({form})", markup=False, soft_wrap=True)
