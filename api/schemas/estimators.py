"""Estimators as clients see them."""

from typing import Any, Self

from pydantic import Field

from api.schemas.base import ResponseBody
from shared.estimators.catalogue import Estimator
from shared.estimators.model_form import KEYWORD
from shared.estimators.signature import Task
from shared.training.checks.libraries import is_installed


class ParameterDescription(ResponseBody):
    """A parameter that requests may set."""

    name: str = Field(description="The name of the parameter.", examples=["n_estimators"])
    default: Any = Field(description="What it is when it is left out.", examples=[100])
    allowed: list[dict[str, Any]] = Field(
        description="JSON schemas (2020-12). A value that meets one of them is taken by itself, any other is refused. "
        "One with `x-model` stands for a model, or a list of named ones, which is checked like `model` of a training.",
        examples=[[{"type": "integer", "minimum": 1, "maximum": 10_000}]],
    )
    required: bool = Field(description="It has no default: the estimator is built around what is given here.")
    takes_model: Task | None = Field(
        description="The task of the model, or of the models, that it takes; null where it takes none."
    )


class EstimatorDescription(ResponseBody):
    """An estimator that can be trained, with its parameters."""

    module: str = Field(description="The module of scikit-learn, or the package.", examples=["ensemble"])
    class_: str = Field(description="The class in that module.", alias="class", examples=["RandomForestClassifier"])
    task: Task = Field(description="What it learns: classes or numbers.")
    library: str | None = Field(description="The package that it needs; null for what is always there.")
    installed: bool = Field(description="Whether the API has that package. Workers have packages of their own.")
    summary: str = Field(
        description="The first sentence of its documentation.", examples=["A random forest classifier."]
    )
    takes_missing: bool = Field(
        description="Missing numbers are left to it; for others they are filled in. Of an estimator that is built "
        "around others, this and what follows is said for its default; it depends on those inside of it."
    )
    needs_scaling: bool = Field(description="Numbers are scaled before it sees them.")
    inputs_not_negative: bool = Field(description="It refuses negative numbers.")
    gives_probabilities: bool = Field(description="With its default parameters.")
    learns_in_batches: bool = Field(
        description="Whether it can be shown a table some rows at a time, with `batches` of `POST /train`."
    )
    parameters: list[ParameterDescription] = Field(
        description="The parameters that requests may set. Some values do not go together, or not with the data: "
        "`POST /train?dry_run=true` tells."
    )

    @classmethod
    def from_estimator(cls, estimator: Estimator) -> Self:
        """The description of an entry of the table."""
        return cls(
            module=estimator.module,
            class_=estimator.name,
            task=estimator.task,
            library=estimator.library,
            installed=is_installed(estimator),
            summary=estimator.summary,
            takes_missing=estimator.takes_missing,
            needs_scaling=estimator.needs_scaling,
            inputs_not_negative=estimator.inputs_not_negative,
            gives_probabilities=estimator.gives_probabilities,
            learns_in_batches=estimator.learns_in_batches,
            parameters=[
                ParameterDescription(
                    name=name,
                    default=parameter.default,
                    allowed=parameter.allowed,
                    required=parameter.required,
                    takes_model=parameter.model and parameter.model[KEYWORD],
                )
                for name, parameter in estimator.parameters.items()
            ],
        )
