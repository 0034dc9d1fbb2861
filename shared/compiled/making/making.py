"""Makes the compiled model of a fitted one."""

from collections.abc import Callable
from typing import Any, Final

from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline

from shared.compiled.making import scores, trees
from shared.compiled.making.notion import Compiled, NotCompilable
from shared.compiled.making.recipe import recipe_of
from shared.compiled.model import CompiledModel, LabelThreshold
from shared.estimators.signature import Signature

# By the name of the class. Whatever is not here is served by scikit-learn.
_MAKERS: Final[dict[str, Callable[[Any], Compiled]]] = {
    "DecisionTreeClassifier": trees.of_tree,
    "DecisionTreeRegressor": trees.of_tree,
    "ExtraTreeClassifier": trees.of_tree,
    "ExtraTreeRegressor": trees.of_tree,
    "RandomForestClassifier": trees.of_forest,
    "RandomForestRegressor": trees.of_forest,
    "ExtraTreesClassifier": trees.of_forest,
    "ExtraTreesRegressor": trees.of_forest,
    "BaggingClassifier": trees.of_bagging,
    "BaggingRegressor": trees.of_bagging,
    "GradientBoostingClassifier": trees.of_gradient_boosting,
    "GradientBoostingRegressor": trees.of_gradient_boosting,
    "HistGradientBoostingClassifier": trees.of_histogram_boosting,
    "HistGradientBoostingRegressor": trees.of_histogram_boosting,
    "AdaBoostClassifier": trees.of_boosted_classifier,
    "AdaBoostRegressor": trees.of_boosted_regressor,
    "LogisticRegression": scores.of_logistic,
    "LogisticRegressionCV": scores.of_logistic,
    "LinearDiscriminantAnalysis": scores.of_logistic,
    "SGDClassifier": scores.of_gradient_descent_classifier,
    "GammaRegressor": scores.of_generalized_linear,
    "PoissonRegressor": scores.of_generalized_linear,
    "TweedieRegressor": scores.of_generalized_linear,
    "PLSRegression": scores.of_partial_least_squares,
    "RANSACRegressor": scores.of_consensus,
    "TransformedTargetRegressor": scores.of_transformed_target,
    "GaussianNB": scores.of_gaussian_bayes,
    "MultinomialNB": scores.of_multinomial_bayes,
    "ComplementNB": scores.of_complement_bayes,
    "BernoulliNB": scores.of_bernoulli_bayes,
    "CategoricalNB": scores.of_categorical_bayes,
    "QuadraticDiscriminantAnalysis": scores.of_quadratic_discriminant,
    "MLPClassifier": scores.of_network,
    "MLPRegressor": scores.of_network,
    "DummyClassifier": scores.of_dummy,
    "DummyRegressor": scores.of_dummy,
    **dict.fromkeys(
        [
            "LinearSVC",
            "PassiveAggressiveClassifier",
            "Perceptron",
            "RidgeClassifier",
            "RidgeClassifierCV",
        ],
        scores.of_linear_classifier,
    ),
    **dict.fromkeys(
        [
            "ARDRegression",
            "BayesianRidge",
            "ElasticNet",
            "ElasticNetCV",
            "HuberRegressor",
            "Lars",
            "LarsCV",
            "Lasso",
            "LassoCV",
            "LassoLars",
            "LassoLarsCV",
            "LassoLarsIC",
            "LinearRegression",
            "LinearSVR",
            "OrthogonalMatchingPursuit",
            "OrthogonalMatchingPursuitCV",
            "PassiveAggressiveRegressor",
            "QuantileRegressor",
            "Ridge",
            "RidgeCV",
            "SGDRegressor",
            "TheilSenRegressor",
        ],
        scores.of_linear_regressor,
    ),
}


def compile_model(model: Any, signature: Signature) -> CompiledModel:
    """The compiled model of a fitted one; nothing has been compared yet.

    Raises:
        NotCompilable: when there is none, saying why.
    """
    threshold = None
    if isinstance(model, FixedThresholdClassifier):
        model, threshold = model.estimator, _threshold(model)
    steps = list(model.named_steps.values()) if isinstance(model, Pipeline) else [model]
    name = type(steps[-1]).__name__
    maker = _MAKERS.get(name)
    if maker is None:
        raise NotCompilable("there is no compiled form of this estimator")
    names = [column.name for column in signature.inputs if column.used]
    recipe, words = recipe_of(steps[:-1], names)
    compiled = maker(steps[-1])
    return CompiledModel(
        categories=tuple(words.get(name) for name in names),
        recipe=recipe,
        takes=compiled.takes,
        score=compiled.score,
        choice=compiled.choice,
        link=compiled.link,
        threshold=threshold,
    )


def _threshold(model: FixedThresholdClassifier) -> LabelThreshold:
    return LabelThreshold(float(model.threshold), model.classes_.tolist().index(model.pos_label))


def compilable_estimators() -> frozenset[str]:
    """The classes of which there may be a compiled form."""
    return frozenset(_MAKERS)
