"""Whether the inner estimators suit their host: what it asks of them, and what it would do with them."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from shared.errors import InvalidParameter
from shared.estimators.needs import gives_probabilities, gives_scores, seeing_inputs, takes_weights
from shared.estimators.target_functions import TARGET_FUNCTIONS
from shared.estimators.tree import Node
from shared.training.checks.combinations import Values

_SHOWN = 60
_NEED_SCORES = frozenset(
    {"CalibratedClassifierCV", "OneVsOneClassifier", "OneVsRestClassifier", "OutputCodeClassifier"}
)

# A rule says at which place what is wrong.
Found = Iterator[tuple[list[str | int], str]]


def problems_of_nesting(tree: Node) -> Iterator[InvalidParameter]:
    """One error per inner estimator, or parameter, that does not suit the host."""
    for node in tree.all():
        for rule in _RULES if node.host is not None else ():
            for place, sentence in rule(node):
                yield InvalidParameter(sentence, errors=[{"loc": [*node.place, *place], "msg": sentence}])


def _names(host: Node) -> Found:
    named = Counter(inner.name for inner in host.inner if inner.name is not None)
    known = host.estimator.parameters
    for number, name in enumerate(inner.name for inner in host.inner if inner.name is not None):
        place: list[str | int] = ["params", "estimators", number, 0]
        if named[name] > 1:
            yield place, f"The name '{name}' stands twice in 'estimators'. Give each a name of its own."
        elif "__" in name:
            yield place, f"The name '{name}' in 'estimators' must not have '__' in it: that leads to a parameter."
        elif name in known or name in {"n_jobs", "verbose"}:
            yield (
                place,
                f"The name '{name}' in 'estimators' is a parameter of {host.estimator.key}. Choose another one.",
            )


def _weights_of_rows(host: Node) -> Found:
    if host.estimator.name != "AdaBoostClassifier":
        return
    for inner in _given(host):
        # What numbers the labels for a library does not say that it takes weights.
        if not takes_weights(inner) or inner.estimator.numbers_classes:
            sentence = (
                f"{_shown_slot(host, inner)} must take a weight for each row, which {inner.estimator.key} does not."
            )
            yield _place_in(host, inner), f"{sentence} Use one that does, such as 'tree.DecisionTreeClassifier'."


def _probabilities(host: Node) -> Found:
    values = Values(host.estimator, host.params)
    asking = {
        "VotingClassifier": (values["voting"] == "soft", "The voting 'soft' needs", "Leave 'voting' out for 'hard'"),
        "StackingClassifier": (
            values["stack_method"] == "predict_proba",
            "The stack_method 'predict_proba' needs",
            "Leave 'stack_method' out",
        ),
        "GradientBoostingClassifier": (True, "To begin with it needs", "Leave 'init' out"),
    }
    asks, needs, otherwise = asking.get(host.estimator.name, (False, "", ""))
    for inner in _given(host):
        if asks and not _is_final(inner) and not gives_probabilities(inner):
            sentence = f"{needs} probabilities, which {inner.estimator.key} does not give{_remedy(inner)}."
            yield _place_in(host, inner), f"{sentence} {otherwise}, or use an estimator that gives them."


def _scores(host: Node) -> Found:
    values = Values(host.estimator, host.params)
    for inner in _given(host):
        shown = inner.estimator.key
        if values["stack_method"] == "decision_function" and not _is_final(inner) and not gives_scores(inner):
            said = f"The stack_method 'decision_function' needs a decision function, which {shown} does not have."
            yield _place_in(host, inner), f"{said} Leave 'stack_method' out, or use another estimator."
        elif host.estimator.name in _NEED_SCORES and not (gives_probabilities(inner) or gives_scores(inner)):
            said = (
                f"{_shown_slot(host, inner)} must give probabilities or a decision function, and {shown} gives neither"
            )
            yield _place_in(host, inner), f"{said}{_remedy(inner)}. Use another estimator."


def _categories(host: Node) -> Found:
    """Columns are prepared for all estimators alike: as categories, or as numbers."""
    leaves = [
        node for inner in host.inner for node in seeing_inputs(inner) if node.host is None and not _is_final(node)
    ]
    by_category = [node for node in leaves if node.estimator.needs_categories]
    for node in by_category:
        key = node.estimator.key
        if host.host is not None and not host.host.all_rows:
            said = f"{host.estimator.key} shows its inner estimators some of the rows, where categories may be missing"
            yield _place_in(host, node), f"{said}, and {key} cannot do without. Use another estimator."
        elif len(by_category) < len(leaves):
            said = f"{key} takes categories and others in {host.estimator.key} take numbers, but the columns are"
            yield _place_in(host, node), f"{said} prepared for all alike. Take one kind of them."


def _final(host: Node) -> Found:
    for inner in _given(host):
        for node in inner.all() if _is_final(inner) else ():
            if node.estimator.needs_categories or node.estimator.inputs_not_negative:
                said = f"{node.estimator.key} cannot learn from what others predict: it takes"
                kind = "categories" if node.estimator.needs_categories else "no negative numbers"
                yield _place_in(host, node), f"{said} {kind}. Use another '{inner.slot.name if inner.slot else ''}'."


def _names_of_columns(host: Node) -> Found:
    """Some hosts show their inner estimators arrays, in which columns have no names."""
    if host.host is None or host.host.passes_names:
        return
    for inner in _given(host):
        for node in inner.all():
            if isinstance(node.params.get("monotonic_cst"), dict):
                said = f"'monotonic_cst' by name cannot be set inside of {host.estimator.key}, which shows no names"
                place = [*node.place[len(host.place) :], "params", "monotonic_cst"]
                yield place, f"{said}. Give a list with one value per input."


def _weights_of_classes(host: Node) -> Found:
    for inner in _given(host):
        if inner.labels == "two" and isinstance(inner.params.get("class_weight"), dict):
            said = "Here, two classes are made of those of the target, so that 'class_weight' by label means nothing"
            yield [*_place_in(host, inner), "params", "class_weight"], f"{said}. Use 'balanced', or leave it out."


def _lists(host: Node) -> Found:
    weights, count = host.params.get("weights"), len(host.inner)
    if host.estimator.name.startswith("Voting") and isinstance(weights, list):
        if len(weights) != count:
            said = f"'weights' has {len(weights)} values, but there are {count} 'estimators'."
            yield ["params", "weights"], f"{said} Give one value for each, in their order."
        elif any(weight < 0 for weight in weights) or not any(weights):
            yield ["params", "weights"], "'weights' must not be negative, and one of them at least must be above 0."


def _consensus(host: Node) -> Found:
    given = [inner for inner in _given(host) if inner.estimator.key != "linear_model.LinearRegression"]
    if host.estimator.name == "RANSACRegressor" and given and host.params.get("min_samples") is None:
        said = "RANSACRegressor with another 'estimator' than LinearRegression needs 'min_samples'"
        yield ["params"], f"{said}: how many rows each try is fitted to."
    for inner in _given(host):
        if host.estimator.name == "RANSACRegressor" and inner.estimator.library == "catboost":
            said = f"RANSACRegressor gives its 'estimator' seeds in a form that {inner.estimator.key} does not take"
            yield _place_in(host, inner), f"{said}. Use another estimator."


def _functions(host: Node) -> Found:
    name, inverse = host.params.get("func"), host.params.get("inverse_func")
    if name is None and inverse is not None:
        yield ["params", "inverse_func"], "'inverse_func' undoes 'func', which is not set. Set 'func', or leave it out."
    elif name is not None and inverse not in (None, TARGET_FUNCTIONS[name].inverse):
        right = TARGET_FUNCTIONS[name].inverse
        said = f"The inverse of '{name}' is '{right}', and not '{inverse}'."
        yield ["params", "inverse_func"], f"{said} Leave 'inverse_func' out: it follows from 'func'."


def _given(host: Node) -> Iterator[Node]:
    return (inner for inner in host.inner if inner.given)


def _is_final(node: Node) -> bool:
    return node.slot is not None and node.slot.final


def _place_in(host: Node, inner: Node) -> list[str | int]:
    return [*inner.place[len(host.place) :]]


def _shown_slot(host: Node, inner: Node) -> str:
    name = inner.slot.name if inner.slot is not None else ""
    shown = f"'{inner.name[:_SHOWN]}' in '{name}'" if inner.name is not None else f"'{name}'"
    return f"{shown} of {host.estimator.key}"


def _remedy(node: Node) -> str:
    """Which values of a parameter would make it give probabilities."""
    turned: Any = node.estimator.probabilities_turn_with if not node.estimator.gives_probabilities else {}
    options = [f"'{name}' of {_value(value)}" for name, values in turned.items() for value in values]
    return f" without {' or '.join(options)}" if options else ""


def _value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"'{value}'"


_RULES: tuple[Callable[[Node], Found], ...] = (
    _names,
    _weights_of_rows,
    _probabilities,
    _scores,
    _categories,
    _final,
    _names_of_columns,
    _weights_of_classes,
    _lists,
    _consensus,
    _functions,
)
