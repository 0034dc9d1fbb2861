"""A compiled model as a file: an archive of plain arrays and one JSON document. Reading it runs nothing of it."""

import io
import json
import zipfile
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from shared.compiled.model import CompiledModel, LabelThreshold
from shared.compiled.parts import CompiledPart, FormDamaged, Score, read_part, write_part
from shared.compiled.recipe import BentRecipe, CompiledRecipe, CyclicRecipe
from shared.compiled.scores import (
    ConstantScore,
    Cutoff,
    LinearScore,
    Network,
    NormalDensities,
    NormalShapes,
    TableOfCategories,
)
from shared.compiled.trees import MedianOfTrees, SumOfTrees, SumOverCategories

_DOCUMENT = "form.json"
_FORMAT = 1
# Of a form with a threshold: an older release, which knows of none, must not answer without it.
_FORMAT_WITH_THRESHOLD = 2
# Every part that a form may have.
_KINDS: Final[dict[str, type[CompiledPart]]] = {
    kind.__name__: kind
    for kind in (
        BentRecipe,
        CompiledRecipe,
        ConstantScore,
        Cutoff,
        CyclicRecipe,
        LinearScore,
        MedianOfTrees,
        Network,
        NormalDensities,
        NormalShapes,
        SumOfTrees,
        SumOverCategories,
        TableOfCategories,
    )
}
# The document says little beside the categories.
_MOST_DOCUMENT_BYTES = 64 * 2**20
# Archives of one form have the same bytes, whenever they are written.
_MOMENT = (1980, 1, 1, 0, 0, 0)


def write_model(model: CompiledModel, path: Path) -> None:
    """Write a model; the same one gives the same bytes."""
    arrays: dict[str, NDArray[Any]] = {}
    document = {
        "format": _FORMAT if model.threshold is None else _FORMAT_WITH_THRESHOLD,
        "categories": model.categories,
        "recipe": None if model.recipe is None else write_part(model.recipe, "recipe", arrays),
        "takes": model.takes,
        "score": write_part(model.score, "score", arrays),
        "choice": model.choice,
        "link": model.link,
    }
    if model.threshold is not None:
        document["threshold"] = list(model.threshold)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        _add(archive, _DOCUMENT, json.dumps(document, allow_nan=True, sort_keys=True).encode())
        for name in sorted(arrays):
            content = io.BytesIO()
            npy.write_array(content, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            _add(archive, f"{name}.npy", content.getvalue())


def read_model(file: IO[bytes]) -> CompiledModel:
    """The model that `write_model` has written.

    Raises:
        FormDamaged: when it cannot have written this.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            document = _document(archive)
            arrays = {name.removesuffix(".npy"): _array(archive, name) for name in archive.namelist()[1:]}
        return _model(document, arrays)
    except FormDamaged:
        raise
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormDamaged(f"it cannot be read: {type(error).__name__}") from error


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _MOMENT)
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


def _document(archive: zipfile.ZipFile) -> dict[str, Any]:
    with archive.open(_DOCUMENT) as file:
        content = file.read(_MOST_DOCUMENT_BYTES + 1)
    if len(content) > _MOST_DOCUMENT_BYTES:
        raise FormDamaged("its document is too large")
    document = json.loads(content)
    if not isinstance(document, dict) or document.get("format") not in {_FORMAT, _FORMAT_WITH_THRESHOLD}:
        raise FormDamaged("it is of another release")
    return document


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name) as file:
        found: NDArray[Any] = npy.read_array(file, allow_pickle=False)
        return found


def _model(document: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> CompiledModel:
    recipe = None if document["recipe"] is None else read_part(document["recipe"], "recipe", arrays, kinds=_KINDS)
    score = read_part(document["score"], "score", arrays, kinds=_KINDS)
    categories = tuple(None if words is None else tuple(words) for words in document["categories"])
    if not isinstance(score, Score) or not isinstance(recipe, CompiledRecipe | None):
        raise FormDamaged("its parts are in the wrong places")
    if recipe is not None and recipe.columns != len(categories):
        raise FormDamaged("its columns are not those of its steps")
    width = len(categories) if recipe is None else recipe.width
    if getattr(score, "features", width) != width:
        raise FormDamaged("its trees take other features than its steps make")
    return CompiledModel(
        categories=categories,
        recipe=recipe,
        takes=document["takes"],
        score=score,
        choice=document["choice"],
        link=document["link"],
        threshold=None if document["format"] == _FORMAT else _threshold(document["threshold"]),
    )


def _threshold(written: list[Any]) -> LabelThreshold:
    value, position = written
    return LabelThreshold(float(value), int(position))
