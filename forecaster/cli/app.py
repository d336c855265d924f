"""The commands. Everything heavy is imported inside of them, so that `--help` answers at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from forecaster.cli.models import models
from forecaster.cli.operating import retrain, runs, schedule, serve
from forecaster.cli.options import (
    Beam,
    Begin,
    GroupsAtOnce,
    Json,
    Length,
    Offline,
    Pipeline,
    Resume,
    Samples,
    Seed,
    Temperature,
    Until,
)
from forecaster.errors import ForecasterError

__all__ = ["app", "main"]

app = typer.Typer(
    name="forecaster",
    help="Recurrent networks for time series, judged honestly against naive forecasts, exported and kept trained.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # Rich's help would be half of the time that --help takes
    context_settings={"max_content_width": 120},
)
app.add_typer(models, name="models")


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
    from forecaster.cli.console import logging_to

    logging_to(verbose, log_file)
    context.obj = project


@app.command()
def run(
    context: typer.Context,
    pipeline: Pipeline,
    json: Json = False,
    resume: Resume = False,
    offline: Offline = False,
    force: Annotated[
        bool, typer.Option("--force", help="Publish even what does not beat the naive forecasts.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when the gate was not passed.")] = False,
    warm_start: Annotated[
        bool, typer.Option("--warm-start", help="Go on from the weights of the published version.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="The HTML report; models/reports/NAME.html by default.")] = None,
    workers: GroupsAtOnce = 1,
) -> None:
    """Load, backtest, fit, publish, report: the main job."""
    from forecaster.cli.running import run_pipeline

    passed = run_pipeline(
        pipeline, context.obj, json, resume=resume, force=force, report=report, publishing=True, offline=offline,
        warm=warm_start,
        workers=workers,
    )  # fmt: skip
    if strict and not passed:
        raise typer.Exit(1)


@app.command()
def backtest(
    context: typer.Context,
    pipeline: Pipeline,
    json: Json = False,
    resume: Resume = False,
    offline: Offline = False,
    workers: GroupsAtOnce = 1,
) -> None:
    """Scores only: nothing is published, no report is written."""
    from forecaster.cli.running import run_pipeline

    run_pipeline(
        pipeline, context.obj, json, resume=resume, force=False, report=None, publishing=False, offline=offline,
        workers=workers,
    )  # fmt: skip


@app.command()
def predict(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the published pipeline.", show_default=False)],
    data: Annotated[
        Path | None, typer.Option(help="A file of the training data's format and columns, and newer rows.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write a CSV file (JSON with --json) here instead of printing.")
    ] = None,
    version: Annotated[int | None, typer.Option(help="The newest by default.", show_default=False)] = None,
    level: Annotated[list[float] | None, typer.Option(help="Interval in per cent; may be repeated.")] = None,
    json: Json = False,
    offline: Offline = False,
    known: Annotated[
        Path | None, typer.Option(help="A file with id, time and the known covariates of the coming steps.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="First row; missing steps before it are forecast, too."),
    ] = None,
    begin: Begin = None,
    length: Length = None,
    until: Until = None,
    samples: Samples = None,
    temperature: Temperature = None,
    beam: Beam = None,
    seed: Seed = None,
) -> None:
    """Forecasts from a published version. For tickers, from the newest prices; of symbols, also made-up sequences."""
    told = {
        "begin": begin, "length": length, "until": until, "samples": samples, "temperature": temperature,
        "beam": beam, "seed": seed,
    }  # fmt: skip
    if asked := {key: value for key, value in told.items() if value is not None}:
        from forecaster.cli.generating import generate_published

        others = {"--level": level, "--from": start}
        superfluous = [key for key in others if others[key]]
        generate_published(name, context.obj, data, out, version, json, asked, superfluous, known)
        return
    from forecaster.cli.publishing import predict_published

    predict_published(name, context.obj, data, out, version, level, json, offline, known, start)


@app.command()
def fetch(
    context: typer.Context,
    tickers: Annotated[
        list[str], typer.Argument(metavar="TICKER", help="Yahoo's symbols: AAPL, ^GSPC, EURUSD=X.", show_default=False)
    ],
    start: Annotated[
        str | None, typer.Option(help="First day; all that there is by default.", show_default=False)
    ] = None,
    end: Annotated[str | None, typer.Option(help="The day after the last.", show_default=False)] = None,
    interval: Annotated[str, typer.Option(help="From 1m to 1h, 1d, 1wk, 1mo, 3mo.")] = "1d",
    unadjusted: Annotated[
        bool, typer.Option("--unadjusted", help="Adjust for splits only, not for dividends.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="A .csv or .parquet file; in data/snapshots of the project by default.")
    ] = None,
    json: Json = False,
) -> None:
    """Ticker history to a CSV or Parquet snapshot. A JSON file beside it says what it is."""
    from forecaster.cli.fetching import fetch_prices

    fetch_prices(
        tickers, context.obj, start=start, end=end, interval=interval, adjusted=not unadjusted, out=out, as_json=json
    )


@app.command()
def check(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE | PIPELINE.yaml", help="What to check.", show_default=False)],
    id: Annotated[str | None, typer.Option(help="Column that names the series.")] = None,
    time: Annotated[str | None, typer.Option(help="Column of time stamps.")] = None,
    target: Annotated[str | None, typer.Option(help="Column to forecast.")] = None,
    wide: Annotated[bool, typer.Option("--wide", help="Every column but the time is a series.")] = False,
    symbols: Annotated[
        bool | None, typer.Option("--symbols/--numbers", help="What that column holds; by default as its cells look.")
    ] = None,
    past: Annotated[list[str] | None, typer.Option(help="Covariate known up to now; may be repeated.")] = None,
    known: Annotated[list[str] | None, typer.Option(help="Covariate known over the horizon; may be repeated.")] = None,
    static: Annotated[list[str] | None, typer.Option(help="Covariate of the series; may be repeated.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Column to leave out; may be repeated.")] = None,
    freq: Annotated[str | None, typer.Option(help="Alias (30min, D, MS), exchange (XNYS) or whole step.")] = None,
    time_format: Annotated[str | None, typer.Option(help='Of the stamps, for instance "%d/%m/%Y".')] = None,
    zone: Annotated[str | None, typer.Option(help="Whose clock the stamps show (Europe/London).")] = None,
    separator: Annotated[str | None, typer.Option(help="Between the columns of a CSV file.")] = None,
    decimal: Annotated[str | None, typer.Option(help="What stands before decimals.")] = None,
    thousands: Annotated[str | None, typer.Option(help="What stands between groups of three digits.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of the text of a CSV file.")] = None,
    horizon: Annotated[int | None, typer.Option(min=1, help="Time steps to forecast.")] = None,
    write: Annotated[Path | None, typer.Option(help="Write a pipeline file to start from.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with pictures.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Let --write replace a file.")] = False,
    json: Json = False,
) -> None:
    """What the data look like, what is wrong with them, and where. Whether a pipeline fits its data."""
    from forecaster.cli.checking import Told
    from forecaster.cli.checking import check as check_data

    lists = {name: tuple(value or ()) for name, value in (
        ("past", past), ("known", known), ("static", static), ("ignore", ignore),
    )}  # fmt: skip
    told = Told(
        symbols=symbols, wide=wide, id=id, time=time, target=target, freq=freq, time_format=time_format, zone=zone,
        horizon=horizon, separator=separator, decimal=decimal, thousands=thousands, encoding=encoding, **lists,
    )  # fmt: skip
    if not check_data(file, told, context.obj, write=write, html=html, force=force, as_json=json):
        raise typer.Exit(2)


@app.command()
def tune(
    context: typer.Context,
    pipeline: Pipeline,
    minutes: Annotated[float, typer.Option(min=0.1, help="Time after which the search ends.")] = 10.0,
    trials: Annotated[int | None, typer.Option(min=1, help="Most trials; no limit by default.")] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="Model to begin from; may be repeated. Those of the pipeline by default.", show_default=False
        ),
    ] = None,
    search: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUES", help="units=32,64,128 or dropout=0..0.3; may be repeated."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The model file; models/NAME_tuned.yaml by default.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Trials at once on this machine.")] = 1,
    json: Json = False,
    offline: Offline = False,
) -> None:
    """Search inside the training part; writes a model file. Goes on from the trials of earlier calls."""
    from forecaster.cli.tuning import tune_pipeline

    tune_pipeline(
        pipeline, context.obj, json, minutes=minutes, trials=trials, models=model or [], search=search or [], out=out,
        offline=offline, workers=workers,
    )  # fmt: skip


@app.command()
def inspect(
    context: typer.Context,
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME",
            help="Of published pipelines; or of models, which are looked at untrained.",
            show_default=False,
        ),
    ],
    version: Annotated[int | None, typer.Option(help="The newest by default.", show_default=False)] = None,
    data: Annotated[Path | None, typer.Option(help="A file of the training data's format and columns.")] = None,
    series: Annotated[str | None, typer.Option(help="Look at this series.")] = None,
    cutoff: Annotated[str | None, typer.Option(help="Look at the window up to this time stamp.")] = None,
    lookback: Annotated[int, typer.Option(min=2, help="Of an untrained model, in steps.")] = 96,
    horizon: Annotated[int, typer.Option(min=1, help="Of an untrained model, in steps.")] = 24,
    html: Annotated[Path | None, typer.Option("--html", "--out", help="Write a page with pictures.")] = None,
    json: Json = False,
) -> None:
    """Parameters by matrix, gates over time, reach of the gradient."""
    from forecaster.cli.inspecting import inspect_networks

    inspect_networks(
        names, context.obj, version=version, data=data, series=series, cutoff=cutoff, lookback=lookback,
        horizon=horizon, html=html, as_json=json,
    )  # fmt: skip


@app.command()
def schema(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="pipeline or model.")] = "pipeline",
) -> None:
    """JSON schema of pipeline or model files, for editors."""
    import json as text

    from forecaster.config import schema as schemas
    from forecaster.errors import DefinitionError

    found: dict[str, Any] = schemas()
    if kind not in found:
        raise DefinitionError(f"schema: {kind!r} is unknown; write {' or '.join(found)}")
    typer.echo(text.dumps(found[kind], indent=2))


for command in (retrain, schedule, runs, serve):
    app.command()(command)


def main() -> None:
    """Runs the command line; every known error becomes a message and an exit code, never a traceback."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _find_own_networks()
    try:
        app()
    except ForecasterError as error:
        _fail(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted; nothing was published")
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:
        import logging

        logging.getLogger("forecaster").debug("a fault", exc_info=True)
        _fail(f"a fault in forecaster, {type(error).__name__}: {error}; see it whole with --log-file, and report it")
        sys.exit(3)


def _find_own_networks() -> None:
    """A model file's `network: package.module:build` is looked for in the working directory, too, as by `python -m`."""
    here = str(Path.cwd())
    if not {"", here} & set(sys.path):
        sys.path.append(here)


def _fail(text: str) -> None:
    from forecaster.cli.console import failure

    failure(text)
