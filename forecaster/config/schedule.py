"""When a pipeline is retrained, within which limits, and on which machines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, PositiveInt, field_validator

from forecaster.config.cron import Cron
from forecaster.config.data import Strict

__all__ = ["DaskDefinition", "Schedule", "ScheduleDefinition"]

SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
BYTES = {"MB": 10**6, "GB": 10**9, "MiB": 2**20, "GiB": 2**30}


def _amount(units: Mapping[str, int], example: str) -> Any:
    """Reads a whole number with a unit."""
    pattern = re.compile(rf"(\d+(?:\.\d+)?)\s*({'|'.join(units)})")

    def read(value: Any) -> Any:
        match = pattern.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            raise ValueError(f"should be a number with a unit ({', '.join(units)}), as in {example}; found {value!r}")
        return float(match[1]) * units[match[2]]

    return read


def _written(seconds: timedelta) -> str:
    return f"{seconds.total_seconds():g}s"


Duration = Annotated[
    timedelta,
    BeforeValidator(lambda value: value if isinstance(value, timedelta) else _amount(SECONDS, "2h")(value)),
    PlainSerializer(_written, when_used="json"),
]
Memory = Annotated[
    int,
    BeforeValidator(lambda value: value if isinstance(value, int) else int(_amount(BYTES, "4GiB")(value))),
    Field(gt=0),
]


class ScheduleDefinition(Strict):
    """When a pipeline is retrained.

    A line of cron alone will do: `schedule: "0 3 * * *"`.
    """

    cron: str = Field(description='five fields, in UTC: "0 3 * * *" is 03:00 every day')
    on_drift: bool = Field(default=False, description="fit again only when errors or inputs have drifted")
    time_limit: Duration = Field(default=timedelta(hours=6), description="of one attempt: 90s, 30min, 2h")
    memory_limit: Memory | None = Field(
        default=None, description="of one attempt: 512MiB, 4GiB; by default nine tenths of the machine's memory"
    )
    attempts: PositiveInt = Field(default=3, description="how often a retraining that fails is tried in all")

    @field_validator("cron")
    @classmethod
    def _understood(cls, cron: str) -> str:
        Cron.parse(cron)
        return cron

    @field_validator("time_limit")
    @classmethod
    def _some_time(cls, limit: timedelta) -> timedelta:
        if limit <= timedelta(0):
            raise ValueError("should be more than nothing")
        return limit


def _mapping(value: Any) -> Any:
    if not isinstance(value, str | Mapping | ScheduleDefinition):
        raise ValueError(f'should be a line of cron such as "0 3 * * *", or a mapping with `cron`; found {value!r}')
    return {"cron": value} if isinstance(value, str) else value


Schedule = Annotated[ScheduleDefinition, BeforeValidator(_mapping)]


class DaskDefinition(Strict):
    """Retraining on a Dask cluster: `executor: {dask: "tcp://scheduler:8786"}`."""

    dask: str = Field(description="address of the cluster's scheduler, as in tcp://scheduler:8786")

    @field_validator("dask")
    @classmethod
    def _an_address(cls, address: str) -> str:
        if not re.fullmatch(r"(tcp|tls|ucx|ws|wss)://\S+:\d+", address):
            raise ValueError(f"should be an address as in tcp://scheduler:8786; found {address!r}")
        return address
