"""The commands. Everything heavy is imported inside of them, so that `--help` answers at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from forecaster.cli.console import console, failure, logging_to
from forecaster.errors import ForecasterError

__all__ = ["app", "main"]

app = typer.Typer(
    name="forecaster",
    help="Recurrent networks for time series, judged honestly against naive forecasts, exported and kept trained.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
models = typer.Typer(help="What has been published.", no_args_is_help=True)
app.add_typer(models, name="models")

Pipeline = Annotated[Path, typer.Argument(metavar="PIPELINE.yaml", help="The pipeline file.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the checkpoints of an interrupted run.")]


@app.callback()
def common(
    context: typer.Context,
    project: Annotated[
        Path | None,
        typer.Option(help="Folder that holds models/; else FORECASTER_PROJECT, else the nearest such folder."),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what is done to standard error.")] = False,
    log_file: Annotated[Path | None, typer.Option(help="Log everything to this file.")] = None,
) -> None:
    """Options that stand before the command."""
    logging_to(verbose, log_file)
    context.obj = project


@app.command()
def run(
    context: typer.Context,
    pipeline: Pipeline,
    json: Json = False,
    resume: Resume = False,
    force: Annotated[bool, typer.Option("--force", help="Publish even what does not beat the naive forecasts.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when the gate was not passed.")] = False,
    report: Annotated[Path | None, typer.Option(help="The HTML report; models/reports/NAME.html by default.")] = None,
) -> None:
    """Load, backtest, fit, publish, report: the main job."""
    from forecaster.cli.running import run_pipeline

    passed = run_pipeline(pipeline, context.obj, json, resume=resume, force=force, report=report, publishing=True)
    if strict and not passed:
        raise typer.Exit(1)


@app.command()
def backtest(context: typer.Context, pipeline: Pipeline, json: Json = False, resume: Resume = False) -> None:
    """Scores only: nothing is published, no report is written."""
    from forecaster.cli.running import run_pipeline

    run_pipeline(pipeline, context.obj, json, resume=resume, force=False, report=None, publishing=False)


@app.command()
def predict(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Of the published pipeline.", show_default=False)],
    data: Annotated[Path | None, typer.Option(help="A file with the columns of the training data, and newer rows.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write a CSV file here instead of printing.")] = None,
    version: Annotated[int | None, typer.Option(help="The newest by default.", show_default=False)] = None,
    level: Annotated[list[float] | None, typer.Option(help="Interval in per cent; may be repeated.")] = None,
    json: Json = False,
) -> None:
    """Forecasts from a published version."""
    from forecaster.cli.publishing import predict_published

    predict_published(name, context.obj, data, out, version, level, json)


@app.command()
def schema(
    kind: Annotated[str, typer.Argument(help="pipeline or model.")] = "pipeline",
) -> None:
    """JSON schema of pipeline or model files, for editors."""
    import json as text

    from forecaster.config import schema as schemas
    from forecaster.errors import DefinitionError

    found: dict[str, Any] = schemas()
    if kind not in found:
        raise DefinitionError(f"schema: {kind!r} is unknown; write {' or '.join(found)}")
    typer.echo(text.dumps(found[kind], indent=2))


@models.command("list")
def list_models(context: typer.Context, json: Json = False) -> None:
    """Every published version, the champions first."""
    from forecaster.cli.publishing import list_published

    list_published(context.obj, json)


@models.command("show")
def show_model(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Of the published pipeline.", show_default=False)],
    version: Annotated[int | None, typer.Option(help="The newest by default.", show_default=False)] = None,
) -> None:
    """The manifest of a version: definition, data, scores, and why it was published."""
    from forecaster.cli.publishing import show_published

    show_published(name, context.obj, version)


def main() -> None:
    """Runs the command line; every known error becomes a message and an exit code, never a traceback."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        app()
    except ForecasterError as error:
        failure(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        failure("interrupted; nothing was published")
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 - the last door: a fault of ours must not look like one of the user's
        import logging

        logging.getLogger("forecaster").debug("a fault", exc_info=True)
        failure(f"a fault in forecaster, {type(error).__name__}: {error}; see it whole with --log-file, and report it")
        sys.exit(3)
    console.file.flush()
