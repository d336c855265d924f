"""The commands that keep models trained and serve them; `app` takes them in."""

from __future__ import annotations

from typing import Annotated

import typer

from forecaster.cli.options import Json, LedgerAt, Offline, Workers

__all__ = ["retrain", "runs", "schedule", "serve"]


def retrain(
    context: typer.Context,
    pipelines: Annotated[
        list[str] | None,
        typer.Argument(metavar="PIPELINE", help="Files, folders, or names in pipelines/.", show_default=False),
    ] = None,
    due: Annotated[bool, typer.Option("--due", help="Only what the schedules say is due.")] = False,
    once: Annotated[
        bool, typer.Option("--once", help="With --due: one attempt each, and do not wait for another.")
    ] = False,
    workers: Workers = 1,
    offline: Offline = False,
    ledger: LedgerAt = None,
    json: Json = False,
) -> None:
    """Retrain from the data as they are now, and promote what is better. For cron and the like."""
    from forecaster.cli.retraining import retrain_pipelines

    code = retrain_pipelines(
        pipelines or [], context.obj, json, only_due=due, once=once, workers=workers, offline=offline, ledger=ledger
    )
    if code:
        raise typer.Exit(code)


def schedule(
    context: typer.Context,
    folder: Annotated[
        list[str] | None,
        typer.Argument(metavar="FOLDER", help="Of pipeline files; pipelines/ by default.", show_default=False),
    ] = None,
    workers: Workers = 1,
    offline: Offline = False,
    ledger: LedgerAt = None,
) -> None:
    """Retrain every pipeline when its schedule says so. As long as this program runs."""
    from forecaster.cli.scheduling import keep_schedule

    keep_schedule(folder or [], context.obj, workers=workers, offline=offline, ledger=ledger)


def runs(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Of pipelines.", show_default=False)] = None,
    state: Annotated[str | None, typer.Option(help="running, waiting, done or failed.", show_default=False)] = None,
    outcome: Annotated[
        str | None, typer.Option(help='promoted, kept, "up to date", "not enough new data", failed, superseded.')
    ] = None,
    since: Annotated[str | None, typer.Option(help="First slot: 2026-03-01, in UTC.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    ledger: LedgerAt = None,
    json: Json = False,
) -> None:
    """What the ledger holds: retrainings, what came of them, and why."""
    from forecaster.cli.history import show_runs

    show_runs(
        names or [], context.obj, json, state=state, outcome=outcome, since=since, limit=limit, ledger=ledger
    )  # fmt: skip


def serve(
    context: typer.Context,
    host: Annotated[
        str, typer.Option(help="Address to bind to; others than loopback can be reached from elsewhere.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8501,
    poll: Annotated[float, typer.Option(min=0.05, help="Seconds between two looks at the store.")] = 2.0,
    deadline: Annotated[float, typer.Option(min=0.01, help="Seconds until a request is given up (504).")] = 30.0,
    queue: Annotated[int, typer.Option(min=1, help="Requests that may wait for a model; more get 503.")] = 256,
    max_body: Annotated[int, typer.Option(min=1, max=1024, help="MiB of a request; larger ones get 413.")] = 32,
    grpc_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Answer TensorFlow Serving's gRPC there too (extra: grpc).")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Log faults only, not every request.")] = False,
) -> None:
    """Serve the published versions. TensorFlow Serving's REST protocol, forecasts by time stamp, health, metrics."""
    from forecaster.cli.serving import serve_project

    serve_project(context.obj, host, port, poll, deadline, queue, max_body, grpc_port, quiet)
