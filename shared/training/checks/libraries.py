"""Whether the libraries of a model are installed, told without importing them."""

from collections.abc import Iterator
from importlib.util import find_spec

from shared.errors import LibraryNotInstalled
from shared.estimators.catalogue import Estimator, release_of_table
from shared.estimators.libraries.installed import HOW_TO_INSTALL, LIBRARIES, release_of
from shared.estimators.tree import Node

WITH_API = "with the API, which serves what is trained"
WITH_WORKER = "with the worker that ran this job"


def problems_of_libraries(tree: Node, *, where: str = WITH_API) -> Iterator[LibraryNotInstalled]:
    """One error per library that is not installed here, or whose release has other parameters than the table."""
    told = set()
    for node in tree.all():
        library = node.estimator.library
        if library is None or library in told:
            continue
        told.add(library)
        if node.estimator.own:
            yield from _problems_of_own(node, where)
            continue
        needed, found = release_of_table(library), release_of(library)
        if found is None or found.split(".")[:2] != needed.split(".")[:2]:
            title = LIBRARIES[library].title
            state = "is not installed" if found is None else f"is there as {found}"
            sentence = f"{node.estimator.key} needs {title} {needed}, which {state} {where}. {HOW_TO_INSTALL}."
            yield LibraryNotInstalled(sentence, errors=[{"loc": list(node.place), "msg": sentence}])


def is_installed(estimator: Estimator) -> bool:
    """Whether what the estimator needs is there, in a release that fits."""
    return next(problems_of_libraries(Node(estimator, {})), None) is None


def _problems_of_own(node: Node, where: str) -> Iterator[LibraryNotInstalled]:
    """What was put on the path without being installed is looked for by its name."""
    library, package = str(node.estimator.library), node.estimator.module.partition(".")[0]
    if release_of(library) is None and find_spec(package) is None:
        said = f"{node.estimator.key} needs the package {library}, which is not installed {where}"
        sentence = f"{said}. Install it there."
        yield LibraryNotInstalled(sentence, errors=[{"loc": list(node.place), "msg": sentence}])
