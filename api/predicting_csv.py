"""Predictions for a CSV file: all rows are checked, then predicted batch by batch while the answer is sent.

Each step waits its turn among the requests for the same model, and has the time limit of one prediction.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.predicting import Predicting
from shared.errors import InvalidInput, InvalidRequest, MissingNotAllowed
from shared.prediction.csv_input import CsvBatch, CsvInput, placed_in_file
from shared.prediction.csv_output import RowsOutput
from shared.prediction.csv_reading import how_to_read, how_to_read_guessed
from shared.prediction.csv_rows import CsvRows
from shared.prediction.extras import Extras
from shared.prediction.input_warnings import InputWarnings
from shared.prediction.loaded import ServingPlace
from shared.prediction.predictor import Prediction, Predictor
from shared.prediction.problems import InputProblems
from shared.tables.inspected import TableLimits
from shared.tables.reading import Reading
from shared.tables.text import NotUtf8

T = TypeVar("T")

# The most cells that are checked or predicted at a time, unless requests may only have fewer.
_CELLS = 20_000
# Enough to notice that a model is slow.
_FIRST_ROWS = 16


class CheckedCsv(NamedTuple):
    """A file whose rows the model accepts, with their number and the warnings about them."""

    given: CsvInput
    rows: int
    warnings: list[str]


class BatchSize:
    """How many rows are predicted at a time: few at first, more while that is fast, fewer before it gets too slow."""

    def __init__(self, most: int, *, limit_seconds: float) -> None:
        """A batch that takes longer than the limit is given up, so the sizes stay far below it."""
        self._most = most
        self._limit_seconds = limit_seconds
        self.rows = min(_FIRST_ROWS, most)

    def adapt(self, seconds: float) -> None:
        """Choose the next size by how long the last batch took."""
        if seconds > self._limit_seconds / 8:
            self.rows = max(1, self.rows // 2)
        elif seconds < self._limit_seconds / 32:
            self.rows = min(self._most, self.rows * 2)


@dataclass(frozen=True)
class CsvPrediction:
    """One file on its way through one version."""

    predicting: Predicting
    place: ServingPlace
    predictor: Predictor
    wanted: Extras
    most_cells: int

    async def check(self, request: Request, path: Path, added: list[str]) -> "CheckedCsv":
        """Check all rows.

        Raises:
            InvalidInput, MissingNotAllowed, InvalidTable, EmptyTable, DuplicateColumns, TableTooLarge: what is wrong.
            NoProbabilities, NoIntervals: when they are wanted of a model that has none.
            InvalidRequest: when the client goes away meanwhile.
            ModelBusy, PredictionTooSlow: as `Predicting.run`.
        """
        self.predictor.check_wanted(self.wanted)
        limits = TableLimits()
        signature, learnt, warnings = self.predictor.signature, self.predictor.learnt, InputWarnings("line")
        try:
            reading = await self._step(lambda: how_to_read(path, limits, learnt))
            return await self._check_rows(request, self._given(path, reading, limits), added, warnings)
        except NotUtf8:
            warnings = InputWarnings("line")
        reading = await self._step(lambda: how_to_read_guessed(path, limits, learnt, rules=signature.rules))
        if signature.rules > 1:
            warnings.tell(f"The table is not UTF-8. It was read as {reading.encoding}.")
        return await self._check_rows(request, self._given(path, reading, limits), added, warnings)

    def _given(self, path: Path, reading: Reading, limits: TableLimits) -> CsvInput:
        model = self.predictor
        return CsvInput(path, reading, limits, model.signature, version=model.version, learnt=model.learnt)

    async def _check_rows(
        self, request: Request, given: CsvInput, added: list[str], warnings: InputWarnings
    ) -> "CheckedCsv":
        problems = InputProblems("body")
        with await self._step(given.open) as rows:
            given.settle_header(rows.header, added, warnings)
            checked = given.check(rows, problems, warnings)
            most, count = max(1, _CELLS // len(self.predictor.signature.inputs)), 0
            while some := await self._step(partial(_count, islice(checked, most))):
                count += some
                if await request.is_disconnected():
                    raise InvalidRequest("The client is gone.")
        problems.raise_if_any()
        return CheckedCsv(given, count, warnings.sentences())

    async def open(self, given: CsvInput) -> CsvRows:
        """Open a checked file at its beginning; raises as `check`."""
        return await self._step(given.open)

    async def answer(
        self, rows: CsvRows, given: CsvInput, output: RowsOutput, headers: dict[str, str]
    ) -> StreamingResponse:
        """The response; the first rows are predicted before anything is sent.

        Raises:
            InvalidInput: when the model cannot compute with the first rows.
            ModelBusy, PredictionTooSlow: as `Predicting.run`.
        """
        most = max(1, min(_CELLS, self.most_cells) // len(self.predictor.signature.inputs))
        size = BatchSize(most, limit_seconds=self.predicting.seconds)
        batches = given.batches(rows, most_rows=lambda: size.rows)
        try:
            first = await self._step(partial(self._predict, batches, output, size))
        except BaseException:
            rows.close()
            output.close()
            raise
        return _Answer(rows, output, self._pieces(first, batches, output, size), headers)

    async def _pieces(
        self, piece: str | None, batches: Iterator[CsvBatch], output: RowsOutput, size: "BatchSize"
    ) -> AsyncIterator[str]:
        yield output.begin()
        while piece is not None:
            yield piece
            piece = await self._step(partial(self._predict, batches, output, size))
        for last in output.end():
            yield last

    def _predict(self, batches: Iterator[CsvBatch], output: RowsOutput, size: "BatchSize") -> str | None:
        began = time.monotonic()
        batch = next(batches, None)
        if batch is None:
            return None
        piece = output.add(batch, self._predicted(batch))
        size.adapt(time.monotonic() - began)
        return piece

    def _predicted(self, batch: CsvBatch) -> Prediction:
        try:
            return self.predictor.answer_columns(batch.columns, rows=len(batch.rows), **self.wanted._asdict())
        except (InvalidInput, MissingNotAllowed) as error:
            raise placed_in_file(error, batch) from None

    async def _step(self, act: Callable[[], T]) -> T:
        return await self.predicting.run(self.place, self.predictor, act)


class _Answer(StreamingResponse):
    """Closes what it reads from, whether it was sent or not."""

    def __init__(self, rows: CsvRows, output: RowsOutput, pieces: AsyncIterator[str], headers: dict[str, str]) -> None:
        super().__init__(pieces, headers=headers, media_type=output.media_type)
        self._rows = rows
        self._output = output

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._rows.close()
            self._output.close()


def _count(lines: Iterator[Any]) -> int:
    return sum(1 for _ in lines)
