"""Bodies of the scoring protocol of MLflow."""

from typing import Annotated, Any

from pydantic import Field, SkipValidation

from api.schemas.base import RequestBody, ResponseBody

_MOST_PARAMS = 100


class SplitFrame(RequestBody):
    """A data frame as pandas writes it with `orient="split"`."""

    columns: Annotated[list[str | int] | None, SkipValidation] = Field(
        default=None,
        description="The names of the columns; without them, or with 0, 1, 2, ..., the columns are those of the model "
        "in their order.",
        examples=[["sepal_length", "sepal_width", "petal_length", "petal_width"]],
    )
    index: Annotated[list[Any] | None, SkipValidation] = Field(
        default=None, description="Names of the rows; they have no effect.", examples=[[0, 1]]
    )
    data: Annotated[list[list[Any]], SkipValidation] = Field(
        description="The rows.", examples=[[[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3]]]
    )


class Invocation(RequestBody):
    """Rows to predict for, in exactly one of four forms; null and NaN are missing values."""

    dataframe_split: SplitFrame | None = Field(default=None, description="A data frame, in parts.")
    dataframe_records: Annotated[list[dict[str, Any]] | None, SkipValidation] = Field(
        default=None, description="A data frame, as objects by column name."
    )
    instances: Annotated[list[Any] | None, SkipValidation] = Field(
        default=None, description="Rows by position, or objects by column name."
    )
    inputs: Annotated[list[Any] | dict[str, Any] | None, SkipValidation] = Field(
        default=None, description="Rows, or lists of values by column name."
    )
    params: dict[str, Any] | None = Field(
        default=None, max_length=_MOST_PARAMS, description="Taken, without effect; a warning says so."
    )


class InvocationAnswer(ResponseBody):
    """What was predicted."""

    predictions: list[Any] = Field(
        description="One label or number for each row, or a list of probabilities.", examples=[["setosa", "virginica"]]
    )


class MlflowError(ResponseBody):
    """Every error of this protocol."""

    error_code: str = Field(description="The kind of error, in MLflow's words.", examples=["BAD_REQUEST"])
    message: str = Field(
        description="What is wrong, and how to fix it; several problems stand in lines of their own.",
        examples=["There is no dataset 'iriss'. Did you mean 'iris'?"],
    )
