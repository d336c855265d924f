"""Retrains the forecasting pipelines that are due; the pipeline files say when, the ledger says what was done."""

from datetime import datetime, timedelta, timezone

from airflow import DAG
from airflow.operators.bash import BashOperator

with DAG(
    dag_id="forecaster_retrain",
    schedule=timedelta(minutes=10),
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),  # noqa: UP017 - Airflow runs on older Pythons, too
    catchup=False,
    max_active_runs=1,
):
    BashOperator(
        task_id="retrain",
        bash_command="/opt/forecaster/.venv/bin/forecaster retrain --due --once",
        cwd="/srv/forecaster",
        env={"FORECASTER_PROJECT": "/srv/forecaster"},
        append_env=True,
        retries=0,  # the ledger decides when a failed retraining is tried again
    )
