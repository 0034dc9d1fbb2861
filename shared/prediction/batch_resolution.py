"""From a request for a batch prediction to its specification: the model is pinned, and what cannot work is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.datasets.catalog import CatalogEntry, find_entry
from shared.errors import InvalidInput, InvalidRequest, UnknownColumn, closest, meant
from shared.estimators.signature import Signature
from shared.evaluation.assessment import NO_PROBABILITIES
from shared.prediction.batch_spec import (
    ROW,
    BatchInput,
    BatchSpec,
    Format,
    added_columns,
    columns_of_inputs,
    no_probabilities,
)
from shared.prediction.cells import short
from shared.prediction.extras import Extras, Returned
from shared.prediction.intervals import check_intervals
from shared.prediction.lookup import find_served
from shared.prediction.problems import listed, named
from shared.registry.rows import RegistryRow


@dataclass(frozen=True)
class BatchWish:
    """What a request asks for: what it leaves open is None."""

    dataset_name: str
    environment: str
    version: int | None
    target: str | None
    source_name: str
    source_version: int | None
    keep: Sequence[str]
    format: Format
    returned: Sequence[Returned]
    neutralise_formulas: bool


class ResolvedBatch(NamedTuple):
    """A specification that was checked, and the row of the dataset version that it reads."""

    spec: BatchSpec
    dataset_version_id: int


def resolve_batch(session: Session, wish: BatchWish, *, stages: Sequence[str]) -> ResolvedBatch:
    """Pin the model that answers now, and the version of the input.

    Raises:
        UnknownStage, UnknownDataset, NoActiveModel, NotActive, TargetDiffers: as a prediction does.
        UnknownDatasetVersion: when the input has no such version.
        InvalidInput: when the input lacks a column that the model uses.
        UnknownColumn: when a column to keep is not there.
        InvalidRequest: when a column to keep comes twice, or has the name of one that the output adds.
        NoProbabilities, NoIntervals: when they are asked of a model that has none.
    """
    asked = {name: getattr(wish, name) for name in ("dataset_name", "environment", "version", "target")}
    served = find_served(session, **asked, stages=stages)
    signature, pinned = Signature.model_validate(served.signature), served.artifact.version
    entry = find_entry(session, wish.source_name, wish.source_version)
    columns = [str(column["name"]) for column in entry.version.columns]
    _check_inputs(signature, entry, columns, version=pinned)
    if "probability" in wish.returned:
        _check_probabilities(session, signature, pinned)
    if "interval" in wish.returned:
        check_intervals(signature, version=pinned)
    _check_output(wish, signature, entry, columns)
    spec = BatchSpec(
        dataset_name=wish.dataset_name,
        environment=wish.environment,
        version=pinned,
        target=signature.target,
        input=BatchInput(dataset_name=entry.dataset.name, dataset_version=entry.version.number or 0),
        keep=list(wish.keep),
        format=wish.format,
        return_=list(dict.fromkeys(wish.returned)),
        neutralise_formulas=wish.neutralise_formulas,
    )
    return ResolvedBatch(spec, entry.version.id)


def _check_inputs(signature: Signature, entry: CatalogEntry, columns: list[str], *, version: int) -> None:
    there = columns_of_inputs(signature, columns)
    lacking = [column.name for column in signature.inputs if column.used and column.name not in there]
    if not lacking:
        return
    near = closest(lacking[0], [name for name in columns if name not in there.values()])
    raise InvalidInput(
        f"Version {entry.version.number} of the dataset '{entry.dataset.name}' lacks {listed(lacking)}, which the "
        f"{named(version, signature)} takes.{meant(near)}",
        errors=[{"loc": ["body", "input", name], "msg": f"lacks the column '{short(name)}'"} for name in lacking[:100]],
        did_you_mean=near,
        available=columns,
    )


def _check_output(wish: BatchWish, signature: Signature, entry: CatalogEntry, columns: list[str]) -> None:
    if wish.neutralise_formulas and wish.format != "csv":
        sentence = "'neutralise_formulas' is for CSV: Parquet has no formulas. Leave it out."
        raise _refused(("neutralise_formulas",), sentence)
    keep, added = wish.keep, [ROW, *added_columns(signature, Extras.named_in(wish.returned))]
    for at, name in enumerate(keep):
        if name not in columns:
            near = closest(name, columns)
            sentence = (
                f"'keep' names the column '{short(name)}', which is not in version {entry.version.number} of the "
                f"dataset '{entry.dataset.name}'.{meant(near)}"
            )
            errors = [{"loc": ["body", "keep", at], "msg": sentence}]
            raise UnknownColumn(sentence, errors=errors, did_you_mean=near, available=columns)
        if name in keep[:at]:
            raise _refused(("keep", at), f"'keep' names the column '{short(name)}' twice.")
        if name in added:
            raise _refused(
                ("keep", at),
                f"'keep' names the column '{short(name)}', which the output has as a column of its own. Leave it out; "
                "'row' of the output tells which row of the input it is.",
            )


def _check_probabilities(session: Session, signature: Signature, version: int) -> None:
    """Refuse what is known to have none; where the training could not tell, the job will."""
    notes: Any = session.execute(select(RegistryRow.report).where(RegistryRow.version == version)).scalar_one()
    without = any(NO_PROBABILITIES in note for note in notes.get("notes", []))
    if signature.task == "classification" and not without:
        return
    raise no_probabilities(version, "It predicts numbers" if signature.task == "regression" else "It gives labels only")


def _refused(place: tuple[str | int, ...], sentence: str) -> InvalidRequest:
    return InvalidRequest(sentence, errors=[{"loc": ["body", *place], "msg": sentence}])
