"""Datasets to and from JSON objects, validated against the published schema of their version.

The schema says what a field may be; what it cannot say (columns of equal length, medians that follow from their
samples, no workload twice) is checked here. Every refusal names the field.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import lru_cache
from importlib.resources import files
from statistics import median
from typing import Any

from ipsecbench.bench.measurement import (
    MIXES,
    Estimate,
    Fit,
    Measurement,
    Sample,
    SampleColumns,
    Status,
    Tier,
    Workload,
)
from ipsecbench.bench.published import Published, Unit
from ipsecbench.dataset.model import FORMAT, SCHEMA_VERSION, Dataset, RunWarning
from ipsecbench.dataset.plain import surely_valid
from ipsecbench.dataset.source import DatasetVerdict, Source, Unread
from ipsecbench.dataset.trial import LabTrial, TrialKind
from ipsecbench.errors import DatasetError

_COLUMNS = ("round", "iterations", "wall_ns", "cpu_ns", "involuntary_switches")
_SETTINGS = (
    *("mode", "precision", "budget_seconds", "minimum_rounds", "only"),
    *("sizes_bytes", "providers", "cores", "mask", "seed"),
)
_MEDIAN_TOLERANCE = 1e-6


def schema(version: int = SCHEMA_VERSION) -> dict[str, Any]:
    """The published JSON Schema of a version; of the one that is written by default."""
    return deepcopy(_read_schema(version))


@lru_cache(maxsize=SCHEMA_VERSION)
def _read_schema(version: int) -> dict[str, Any]:
    """Read once for the thousands of datasets of a library; nobody changes it."""
    path = files("ipsecbench.dataset").joinpath("schema", f"dataset-{version}.schema.json")
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def to_document(dataset: Dataset) -> dict[str, Any]:
    """The JSON object of a dataset."""
    return {
        "format": FORMAT,
        "schema": SCHEMA_VERSION,
        "created": dataset.created,
        "tool": {"name": "ipsecbench", "version": dataset.tool_version},
        "label": dataset.label,
        "redacted": dataset.redacted,
        "ended": dataset.ended,
        "settings": dict(dataset.settings),
        "environment": dict(dataset.environment),
        "warnings": [{"code": warning.code, "message": warning.message} for warning in dataset.warnings],
        "fits": [_fit_to_object(fit) for fit in dataset.fits],
        "measurements": [_measurement_to_object(row) for row in dataset.measurements],
        "trials": [_trial_to_object(trial) for trial in dataset.trials],
        "source": _source_to_object(dataset.source),
        "verdicts": [{"code": verdict.code, "message": verdict.message} for verdict in dataset.verdicts],
    }


def _source_to_object(source: Source | None) -> dict[str, Any] | None:
    if source is None:
        return None
    names = ("format", "file", "sha256", "part", "device", "url", "licence", "unread_lines")
    unread = [{"line": one.line, "text": one.text, "reason": one.reason} for one in source.unread]
    return {**{name: getattr(source, name) for name in names}, "unread": unread}


def _estimate_to_object(estimate: Estimate | None) -> dict[str, float] | None:
    if estimate is None:
        return None
    return {"median": estimate.median, "lower": estimate.lower, "upper": estimate.upper}


def _fit_to_object(fit: Fit) -> dict[str, Any]:
    return {
        "tier": fit.tier.value,
        "provider": fit.provider,
        "operation": fit.operation,
        "algorithm": fit.algorithm,
        "fixed_ns": _estimate_to_object(fit.fixed_ns),
        "ns_per_byte": _estimate_to_object(fit.ns_per_byte),
        "sizes_bytes": list(fit.sizes_bytes),
        "worst_residual": fit.worst_residual,
    }


def workload_to_object(work: Workload) -> dict[str, Any]:
    """The fields of a row that say what was measured, as a dataset names them."""
    return {
        "tier": work.tier.value,
        "provider": work.provider,
        "operation": work.operation,
        "algorithm": work.algorithm,
        "size_bytes": work.size_bytes,
        "mix": work.mix,
        "cores": work.cores,
    }


def _measurement_to_object(row: Measurement) -> dict[str, Any]:
    work = row.workload
    samples: dict[str, Any] = {name: [getattr(sample, name) for sample in row.samples] for name in _COLUMNS}
    cycles = [sample.cycles for sample in row.samples]
    samples["cycles"] = None if not cycles or None in cycles else cycles
    return {
        **workload_to_object(work),
        "status": row.status.value,
        "message": row.message,
        "flags": list(row.flags),
        "detail": dict(row.detail),
        "ns_per_operation": _estimate_to_object(row.ns_per_operation),
        "cycles_per_operation": row.cycles_per_operation,
        "samples": samples,
        "published": [{"value": one.value, "unit": one.unit.value, "line": one.line} for one in row.published],
    }


def _trial_to_object(trial: LabTrial) -> dict[str, Any]:
    return {
        "trial": trial.kind.value,
        "tier": trial.tier.value,
        "provider": trial.provider,
        "peer": trial.peer,
        "algorithm": trial.algorithm,
        "direction": trial.direction,
        "size_bytes": trial.size_bytes,
        "mix": trial.mix,
        "encapsulation": trial.encapsulation,
        "status": trial.status.value,
        "message": trial.message,
        "limited_by": trial.limited_by,
        "values": {name: _estimate_to_object(value) for name, value in trial.values.items()},
        "raw": {name: list(column) for name, column in trial.raw.items()},
        "detail": dict(trial.detail),
    }


def from_document(document: object, sha256: str | None = None) -> Dataset:
    """The dataset of a JSON object.

    Raises:
        DatasetError: it is not a dataset, of a newer schema, or damaged; the message names the field.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise DatasetError(f"not an ipsecbench dataset: its field 'format' is not {FORMAT!r}")
    version = document.get("schema")
    # What is no version at all is refused by the newest schema, which names the field.
    number = version if isinstance(version, int) and not isinstance(version, bool) else 0
    if number > SCHEMA_VERSION:
        raise DatasetError(
            f"field 'schema': version {number} is newer than {SCHEMA_VERSION}, "
            "which is the newest that this program reads; update ipsecbench"
        )
    _validate(document, number if number >= 1 else SCHEMA_VERSION)
    _refuse_missing_settings(document)
    measurements = tuple(_measurement(row, index) for index, row in enumerate(document["measurements"]))
    _refuse_repeats(measurements)
    trials = tuple(_trial(row, index) for index, row in enumerate(document.get("trials", ())))
    _refuse_repeated_trials(trials)
    return Dataset(
        created=document["created"],
        tool_version=document["tool"]["version"],
        label=document["label"],
        ended=document["ended"],
        settings=document["settings"],
        environment=document["environment"],
        measurements=measurements,
        fits=tuple(_fit(row) for row in document["fits"]),
        warnings=tuple(RunWarning(row["code"], row["message"]) for row in document["warnings"]),
        trials=trials,
        redacted=document["redacted"],
        source=_source(document.get("source")),
        verdicts=tuple(DatasetVerdict(row["code"], row["message"]) for row in document.get("verdicts", ())),
        sha256=sha256,
    )


def _source(source: Mapping[str, Any] | None) -> Source | None:
    if source is None:
        return None
    return Source(**{**source, "unread": tuple(Unread(**one) for one in source["unread"])})


def _refuse_missing_settings(document: Mapping[str, Any]) -> None:
    """Whoever measured says how; an import has no settings of ours."""
    if document.get("source") is not None:
        return
    for name in _SETTINGS:
        if name not in document["settings"]:
            raise DatasetError(f"field 'settings' must contain '{name}'")


def _validate(document: Mapping[str, Any], version: int) -> None:
    wanted = _read_schema(version)
    if surely_valid([document], wanted):
        return
    import fastjsonschema

    try:
        fastjsonschema.compile(wanted)(document)
    except fastjsonschema.JsonSchemaValueException as error:
        name = str(error.name).removeprefix("data").lstrip(".") or "the whole file"
        reason = str(error.message).removeprefix(str(error.name)).strip()
        raise DatasetError(f"field '{name}' {reason[:200]}") from error


def _refuse_repeats(measurements: Sequence[Measurement]) -> None:
    seen: dict[Workload, int] = {}
    for index, row in enumerate(measurements):
        first = seen.setdefault(row.workload, index)
        if first != index:
            raise DatasetError(f"field 'measurements[{index}]' repeats the workload of measurements[{first}]")


def _refuse_repeated_trials(trials: Sequence[LabTrial]) -> None:
    seen: dict[tuple[object, ...], int] = {}
    for index, trial in enumerate(trials):
        first = seen.setdefault(trial.key, index)
        if first != index:
            raise DatasetError(f"field 'trials[{index}]' repeats what trials[{first}] is about")


def _trial(row: Mapping[str, Any], index: int) -> LabTrial:
    name = f"trials[{index}]"
    if len({len(column) for column in row["raw"].values()}) > 1:
        raise DatasetError(f"field '{name}.raw' has columns of different lengths")
    values = {key: _estimate(value, f"{name}.values.{key}") for key, value in row["values"].items()}
    return LabTrial(
        kind=TrialKind(row["trial"]),
        tier=Tier(row["tier"]),
        provider=row["provider"],
        algorithm=row["algorithm"],
        peer=row["peer"],
        direction=row["direction"],
        size_bytes=row["size_bytes"],
        mix=row["mix"],
        encapsulation=row["encapsulation"],
        status=Status(row["status"]),
        message=row["message"],
        limited_by=row["limited_by"],
        values={key: value for key, value in values.items() if value is not None},
        raw={key: tuple(column) for key, column in row["raw"].items()},
        detail=row["detail"],
    )


def _estimate(value: Mapping[str, float] | None, name: str) -> Estimate | None:
    if value is None:
        return None
    if not value["lower"] <= value["median"] <= value["upper"]:
        raise DatasetError(f"field '{name}': its median is not within its interval")
    return Estimate(value["median"], value["lower"], value["upper"])


def _measurement(row: Mapping[str, Any], index: int) -> Measurement:
    name = f"measurements[{index}]"
    samples = _samples(row["samples"], name)
    time = _estimate(row["ns_per_operation"], f"{name}.ns_per_operation")
    workload = Workload(
        Tier(row["tier"]),
        row["provider"],
        row["operation"],
        row["algorithm"],
        row["size_bytes"],
        row["mix"],
        row["cores"],
    )
    if workload.mix is not None and workload.mix not in MIXES:
        raise DatasetError(f"field '{name}.mix': {workload.mix[:40]!r} is no mix; there are {', '.join(MIXES)}")
    published = _published(row.get("published", ()))
    _check_median(time, samples, published, workload, name)
    return Measurement(
        workload,
        Status(row["status"]),
        samples,
        time,
        row["cycles_per_operation"],
        row["message"],
        tuple(row["flags"]),
        row["detail"],
        published,
    )


def _published(figures: Sequence[Mapping[str, Any]]) -> tuple[Published, ...]:
    return tuple(Published(one["value"], Unit(one["unit"]), one["line"]) for one in figures)


def _check_median(
    time: Estimate | None, samples: Sequence[Sample], published: tuple[Published, ...], workload: Workload, name: str
) -> None:
    """The estimate follows from what it comes from: samples, or published figures, and not from both."""
    if (time is None) != (not samples and not published):
        raise DatasetError(f"field '{name}.ns_per_operation' and its samples do not belong together")
    if samples and published:
        raise DatasetError(f"field '{name}.published' and samples exclude each other")
    if time is None:
        return
    try:
        times = [one.ns_per_operation(workload.mean_bytes) for one in published]
    except ValueError as error:
        raise DatasetError(f"field '{name}.published': {error}") from error
    expected = median(times or (samples.times_ns if isinstance(samples, SampleColumns) else ()))
    if time.median <= 0 or abs(time.median / expected - 1) > _MEDIAN_TOLERANCE:
        of = "published figures" if times else "samples"
        raise DatasetError(f"field '{name}.ns_per_operation.median' does not follow from its {of}")


def _samples(columns: Mapping[str, Any], name: str) -> SampleColumns | tuple[Sample, ...]:
    count = len(columns["round"])
    for column in (*_COLUMNS, "cycles"):
        values = columns[column]
        if values is not None and len(values) != count:
            raise DatasetError(f"field '{name}.samples.{column}' has {len(values)} values where 'round' has {count}")
    return SampleColumns(columns) if count else ()


def _fit(row: Mapping[str, Any]) -> Fit:
    fixed = Estimate(**row["fixed_ns"])
    slope = Estimate(**row["ns_per_byte"])
    return Fit(
        Tier(row["tier"]),
        row["provider"],
        row["operation"],
        row["algorithm"],
        fixed,
        slope,
        tuple(row["sizes_bytes"]),
        row["worst_residual"],
    )
