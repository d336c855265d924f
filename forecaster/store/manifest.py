"""The manifest: all that is known about a version, as JSON beside it.

Numbers that are not finite (the MASE of a constant series, say) are written as `null`: JSON has no NaN, and
a score that could not be computed must not cost a finished training. They are turned when the manifest is
made, so that what was written equals what is read. Levels and quantiles must be finite: they are promises
about the network's output.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from numbers import Integral, Real
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FiniteFloat,
    ValidationError,
    ValidationInfo,
)

from forecaster.errors import DamagedError, StoreError
from forecaster.store.migration import migrate

__all__ = ["FORMAT_VERSION", "MANIFEST_FILE", "Manifest", "ManifestDraft", "parse_manifest"]

FORMAT_VERSION = 2
MANIFEST_FILE = "manifest.json"


def _plain(value: object, where: str) -> Any:
    """Return a value as plain JSON types; numpy's numbers count as numbers."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        # A file name may hold bytes that are not text.
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, Mapping):
        return _plain_mapping(value, where)
    raise ValueError(f"{where} is a {type(value).__name__}, which JSON has not: write text or a number")


def _plain_mapping(value: Mapping[Any, object], where: str) -> dict[str, Any]:
    for key in value:
        if not isinstance(key, str):
            raise ValueError(f"{where} has the key {key!r}, which is not text: write {str(key)!r}")
    return {_plain(key, where): _plain(item, f"{where}.{key}") for key, item in value.items()}


def _as_json(value: object, info: ValidationInfo) -> Any:
    return _plain(value, info.field_name or "value")


def _as_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


JsonDict = Annotated[dict[str, Any], BeforeValidator(_as_json)]
UtcDatetime = Annotated[AwareDatetime, AfterValidator(_as_utc)]


class ManifestDraft(BaseModel):
    """What the publisher knows of a version: a manifest without name, number, time and file sums.

    The mappings hold plain JSON values (text, numbers, lists, mappings with text as keys; dates become ISO
    text, numbers that are not finite become None). Anything else is a `pydantic.ValidationError` that names
    the place.

    Attributes:
        definition: The pipeline's definition as it ran, every default filled in.
        model: Which network won.
        model_definition: Its definition, every default filled in.
        inferred: What was inferred rather than said: frequency, season, lookback, ….
        inputs: The column names of the network's inputs `past`, `known` and `static`, in order.
        calendar: The calendar features among the known inputs, the last of them: `features` by name, the `zone`
            whose clock they follow, and for each of the `columns` how it is computed. Empty where there are none.
        levels: The interval levels in percent.
        quantiles: The quantiles of the network's output, in order.
        vocabulary: Of symbols: their names in the order of the network's probabilities, the unknown one first.
            Empty where values are numbers.
        horizon: Steps ahead.
        lookback: Steps before the cutoff that the network reads; see `sees`.
        frequency: The steps' frequency or calendar.
        data: Source, rows, span and SHA-256 of the data.
        scores: The scores, those of the baselines among them.
        gate: Why it was promoted.
        training: How far its data reached: `until`, the last step that the network has seen in training or
            validation, and `data_until`, the last of the data that it was judged on; each a stamp (UTC where the data
            have a zone), or one for each series where they share no clock. Where it has learnt from more than what its
            scores were scaled by, `scale_until` says how far that reached. Of numbers also `theta`, the share of the
            Theta method, and the `lookback` of the recurrence, where there is such a share; and for warm starts
            `learnt_until` and what the weights are for (`network`).
        reference: What recent errors and inputs are held against, to notice drift; see `evaluation.drift`.
        seed: The seed of the run.
        streaming: For a network that carries its state, the `state` of the signature `step`: shape and dtype of each
            tensor by name, without the batch; all zeros before the first observation. Empty for others.
        versions: Of python, tensorflow, keras, forecaster, ….
        attempt: Mark of the attempt in the ledger that published it; empty where a person did (`forecaster run`).

    >>> ManifestDraft.model_fields["horizon"].is_required()
    True
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    definition: JsonDict
    model: str
    model_definition: JsonDict
    inferred: JsonDict
    inputs: dict[str, list[str]]
    calendar: JsonDict = {}
    levels: list[FiniteFloat]
    quantiles: list[FiniteFloat]
    vocabulary: list[str] = []
    horizon: int
    lookback: int
    frequency: JsonDict
    data: JsonDict
    scores: JsonDict
    gate: JsonDict
    training: JsonDict = {}
    reference: JsonDict = {}
    seed: int
    streaming: JsonDict = {}
    versions: dict[str, str]
    attempt: str = ""

    @property
    def sees(self) -> int:
        """Steps before the cutoff that the recurrence sees; what else is read goes to the Theta method alone."""
        return int(self.training.get("lookback", self.lookback))


class Manifest(ManifestDraft):
    """All that is known about a published version.

    Attributes:
        format_version: Of the manifest and of the version's folders.
        name: The pipeline's name.
        version: The version's number.
        created: When it was published, in UTC.
        files: The SHA-256 sum of every file, by its place: `served/…` or `side/…`.

    >>> sorted(Manifest.model_fields.keys() - ManifestDraft.model_fields.keys())
    ['created', 'files', 'format_version', 'name', 'version']
    """

    format_version: int = FORMAT_VERSION
    name: str
    version: int
    created: UtcDatetime
    files: dict[str, str]

    def to_json(self) -> str:
        """Return the manifest as JSON that a person can read: what it is first, then the rest.

        Returns:
            The text of `manifest.json`.
        """
        fields = self.model_dump(mode="json")
        head = {key: fields[key] for key in ("format_version", "name", "version", "created")}
        return json.dumps(head | fields, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def parse_manifest(content: bytes, path: Path, remedy: str) -> Manifest:
    """Read a manifest's JSON; one of an older format is brought to the current one in memory, not on the disk.

    Args:
        content: The JSON.
        path: Where it was read, for the errors.
        remedy: What to do about a damaged version, as a sentence.

    Returns:
        The manifest.

    Raises:
        DamagedError: If it is damaged.
        StoreError: If it is of a format that this program does not know.

    >>> parse_manifest(b'{"format_version": 3}', Path("manifest.json"), "Publish it again.")
    Traceback (most recent call last):
    forecaster.errors.StoreError: manifest.json is of format 3; this program reads formats 1 to 2. \
Upgrade forecaster. Failing that: Publish it again.
    """
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{path} is damaged, it is not JSON ({error}). {remedy}") from error
    if not isinstance(fields, dict) or "format_version" not in fields:
        raise DamagedError(f"{path} is damaged: it has no format_version. {remedy}")
    if fields["format_version"] not in range(1, FORMAT_VERSION + 1):
        raise StoreError(
            f"{path} is of format {fields['format_version']!r}; "
            f"this program reads formats 1 to {FORMAT_VERSION}. Upgrade forecaster. Failing that: {remedy}"
        )
    try:
        return Manifest.model_validate(migrate(fields))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DamagedError(f"{path} is damaged: {place}: {first['msg']}. {remedy}") from error
