"""The computation of a train job: each of its candidates is trained in turn, then they are ranked."""

import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from shared.compiled.file import write_model
from shared.errors import FitFailed, Invalid, PlatformError
from shared.estimators.catalogue import know_own
from shared.registry import artifact
from shared.tables.loading import read_table
from shared.training import trainer
from shared.training.batches.drawing import StoredRows
from shared.training.batches.training import train_in_batches
from shared.training.cluster.joining import joined
from shared.training.facts import ModelFacts, with_files
from shared.training.plan import read_columns
from shared.training.ranking import Ranked, rank
from shared.training.search.placing import libraries_of
from shared.training.spec import TrainingSpec
from shared.training.steps import STORING, OnStep, Turn
from shared.training.trainer import Trained
from worker.handover import (
    FORM_FILE,
    MODEL_FILE,
    TABLE_FILE,
    WORK_FILE,
    FailedCandidate,
    FittedCandidate,
    TrainFacts,
    Work,
    file_of,
)
from worker.peak_memory import count_anew, peak_bytes
from worker.telling import Telling


def train(folder: Path, telling: Telling) -> TrainFacts:
    """Train what the work in the folder names; the models are in the files of their candidates.

    Raises:
        PlatformError: what `trainer.train` raises, when there is no model of any candidate.
    """
    work = Work.model_validate_json((folder / WORK_FILE).read_bytes())
    return _Trainings(folder, telling, work).run()


class _Told(NamedTuple):
    """How long one training may take, and who hears how far it is."""

    seconds: float
    on_step: OnStep


@dataclass(frozen=True)
class _Trainings:
    folder: Path
    telling: Telling
    work: Work
    began_at: float = field(default_factory=time.monotonic)

    def run(self) -> TrainFacts:
        specs, work = self.work.candidates, self.work
        know_own(work.own)
        with joined(work.cluster, self.telling.say, own=work.own, libraries=libraries_of(specs)):
            return self._run(specs)

    def _run(self, specs: list[TrainingSpec]) -> TrainFacts:
        table = None if specs[0].batches is not None else self._read()
        fitted: dict[int, ModelFacts] = {}
        failed: dict[int, PlatformError] = {}
        for candidate, spec in enumerate(specs, start=1):
            try:
                fitted[candidate] = self._train(candidate, spec, table)
            except (FitFailed, Invalid) as error:
                failed[candidate] = error
                if len(specs) > 1:
                    self.telling.say(f"left out: {error.detail}")
        self.telling.show("storing", STORING)
        if not fitted:
            raise _none_of(list(failed.values()))
        ranked = rank(fitted) if self.work.ranked else [Ranked(*each) for each in fitted.items()]
        return TrainFacts(
            fitted=[FittedCandidate(candidate=each.candidate, facts=each.facts) for each in ranked],
            failed=[_failed(candidate, specs[candidate - 1], error) for candidate, error in failed.items()],
        )

    def _read(self) -> pd.DataFrame:
        work = self.work
        self.telling.show("reading", 5)
        # The candidates differ in their models only.
        only = read_columns(work.candidates[0], work.columns)
        table = read_table(self.folder / TABLE_FILE, work.reading, columns=work.columns, only=only)
        times = "×"  # noqa: RUF001 - the sign of multiplication is meant
        self.telling.say(f"read {len(table):,} rows {times} {table.shape[1]:,} columns")
        return table

    def _train(self, candidate: int, spec: TrainingSpec, table: pd.DataFrame | None) -> ModelFacts:
        """Train one candidate and write its files; nothing of its model stays in memory.

        Without a table, it is read while the candidate is trained.
        """
        work, turn = self.work, Turn(candidate, len(self.work.candidates))
        if turn.of > 1:
            self.telling.say(f"model {turn.number} of {turn.of}: {spec.model.estimator().key}")
        # One that follows others would be told of their peak.
        counted = count_anew() or turn.number == 1
        left = work.seconds - (time.monotonic() - self.began_at)
        # Those that follow need theirs.
        told = _Told(left / (turn.of - turn.number + 1), partial(self.telling.show, turn=turn))
        trained = self._in_batches(spec, told) if table is None else self._whole(spec, table, told)
        model, form = (self.folder / file_of(candidate, name) for name in (MODEL_FILE, FORM_FILE))
        artifact.dump(trained.model, model)
        if trained.compiled is not None:
            write_model(trained.compiled, form)
        return with_files(
            trained.facts,
            peak_memory_bytes=peak_bytes() if counted else None,
            # What is stored are these very files.
            artifact_bytes=model.stat().st_size,
            form_bytes=form.stat().st_size if trained.compiled is not None else None,
        )

    def _whole(self, spec: TrainingSpec, table: pd.DataFrame, told: _Told) -> Trained:
        work = self.work
        return trainer.train(
            spec,
            table,
            work.columns,
            findings=work.findings,
            threads=work.threads,
            seconds=told.seconds,
            folds=work.folds,
            on_step=told.on_step,
            say=self.telling.say,
        )

    def _in_batches(self, spec: TrainingSpec, told: _Told) -> Trained:
        work = self.work
        return train_in_batches(
            spec,
            StoredRows(self.folder / TABLE_FILE, work.reading, work.columns, work.rows),
            findings=work.findings,
            folder=self.folder,
            threads=work.threads,
            seconds=told.seconds,
            on_step=told.on_step,
            say=self.telling.say,
        )


def _failed(candidate: int, spec: TrainingSpec, error: PlatformError) -> FailedCandidate:
    return FailedCandidate(candidate=candidate, estimator=spec.model.estimator().key, detail=error.detail)


def _none_of(errors: list[PlatformError]) -> PlatformError:
    first = errors[0]
    if len(errors) == 1:
        return first
    return type(first)(f"None of the {len(errors)} models could be trained. The first: {first.detail}")
