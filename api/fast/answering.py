"""What the short way answers to a body: here, where that takes microseconds, or as something to do in a thread."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from api.dependencies import PredictingParts
from api.fast.answers import AnswerWriter
from api.fast.body import PlainBody, TableBody, count_quotes, read_plain, read_request, read_table, read_typed
from api.http.json_body import parse_json
from api.routes.predict import answer_of
from api.schemas.predict import InputData, PredictRequest
from shared.prediction.computing import ModelInForm
from shared.prediction.extras import Extras
from shared.prediction.loaded import ServingPlace
from shared.prediction.predictor import Predictor

# Larger bodies are looked at in a thread, so that nobody waits for them, and row by row, so that others run between.
MOST_BYTES = 2**16
# What takes longer is computed in a thread.
MOST_SECONDS = 0.002
# Rows of a larger body that are more than numbers are read in a thread.
MOST_BYTES_OF_ROWS = 2**14
# Of a body with strings that spell values, names that are left out, or new words, each cell is looked at by itself.
MOST_BYTES_OF_ANY = 2**13
# So long a table is not made of it here: a name that is left out is a cell, too.
MOST_CELLS_OF_ANY = 512


class Longer(NamedTuple):
    """What is left to do for an answer, and whose threads are to do it."""

    place: ServingPlace
    predictor: Predictor
    act: Callable[[], bytes | None]


# None is for the usual way.
Found = bytes | Longer | None


def answer_shortly(parts: PredictingParts, content: bytes, named: tuple[str, ...]) -> Found:
    """The answer to a body; `named` says the dataset and the environment if the address does.

    Raises:
        Exception: whatever is wrong, which the usual way says better.
    """
    if not named and len(content) <= MOST_BYTES:
        body = read_plain(content)
        if body is not None and (found := _of_numbers(parts, body)) is not None:
            return found
    table = read_table(content)
    if table is not None and (found := _of_table(parts, content, table, named)) is not None:
        return found
    return _of_any(parts, content, named)


def _of_numbers(parts: PredictingParts, body: PlainBody) -> Found:
    place = ServingPlace(body.dataset_name, body.environment)
    predictor = parts.cache.find_only(place)
    writer = _writer(place, predictor)
    if predictor is None or writer is None or not writer.takes_plain_numbers:
        return None
    if not _is_for(writer, parts, rows=len(body.input_data.features), extras=body.extras):
        return None
    rows = body.rows(writer.width)
    if rows is None:
        return None
    act = partial(writer.answer, rows, body.extras)
    return act() if writer.seconds(len(rows)) <= MOST_SECONDS else Longer(place, predictor, act)


def _of_table(parts: PredictingParts, content: bytes, body: TableBody, named: tuple[str, ...]) -> Found:
    said = body.place
    if named and body.says_no_place:
        dataset_name, environment = named
    elif said is not None and not named:
        dataset_name, environment = said
    else:
        return None
    place = ServingPlace(dataset_name, environment)
    predictor = parts.cache.find_only(place)
    writer = _writer(place, predictor)
    rows = len(body.rows)
    if predictor is None or writer is None or not rows:
        return None
    if not _is_for(writer, parts, rows=rows, extras=body.extras):
        return None
    act = partial(writer.answer_to, body, count_quotes(content))
    is_quick = len(content) <= MOST_BYTES_OF_ROWS and writer.seconds(rows) <= MOST_SECONDS
    return act() if is_quick else Longer(place, predictor, act)


def _of_any(parts: PredictingParts, content: bytes, named: tuple[str, ...]) -> Found:
    """What the route would answer, asked without the framework."""
    if len(content) > MOST_BYTES_OF_ANY:
        return None
    value = parse_json(content, most_lists=MOST_BYTES_OF_ANY)
    body = read_typed(value, *named) if named else read_request(value)
    place = ServingPlace(body.dataset_name, body.environment, body.target)
    predictor = parts.cache.find(place, body.version)
    if predictor is None or not _is_small(predictor, body.input_data):
        return None
    warnings = parts.predicting.several_targets(place, body.version, predictor)
    act = partial(_written, body, predictor, warnings, max_cells=parts.settings.predict_max_cells)
    return act() if _is_quick(predictor, body.input_data) else Longer(place, predictor, act)


def _written(body: PredictRequest, predictor: Predictor, warnings: list[str], *, max_cells: int) -> bytes:
    return bytes(answer_of(body, predictor, warnings, max_cells=max_cells).body)


def _writer(place: ServingPlace, predictor: Predictor | None) -> AnswerWriter | None:
    """What writes the answers of the model that serves there; None where it has no compiled form."""
    if predictor is None or not isinstance(predictor.computes, ModelInForm):
        return None
    writer: AnswerWriter | None = predictor.kept.get(place)
    if writer is None:
        writer = predictor.kept[place] = AnswerWriter(place, predictor, predictor.computes)
    return writer


def _is_for(writer: AnswerWriter, parts: PredictingParts, *, rows: int, extras: Extras) -> bool:
    """Whether it may be asked so much."""
    return writer.gives(extras) and rows * writer.width <= parts.settings.predict_max_cells


def _rows_in(data: InputData) -> int:
    return len(data.features or data.records or ())


def _is_small(predictor: Predictor, data: InputData) -> bool:
    return _rows_in(data) * len(predictor.signature.inputs) <= MOST_CELLS_OF_ANY


def _is_quick(predictor: Predictor, data: InputData) -> bool:
    computes = predictor.computes
    return isinstance(computes, ModelInForm) and computes.seconds(_rows_in(data)) <= MOST_SECONDS
