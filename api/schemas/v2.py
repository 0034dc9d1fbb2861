"""Bodies of the Open Inference Protocol, version 2; https://github.com/kserve/open-inference-protocol has its text."""

from typing import Annotated, Any

from pydantic import Field, SkipValidation

from api.protocols.v2.datatypes import Datatype
from api.schemas.base import RequestBody, ResponseBody

Parameters = dict[str, Any]
# More than a table has columns.
_MOST_INPUTS = 10_000
_MOST_PARAMETERS = 100
_MOST_OUTPUTS = 16
# As many as libraries of arrays have by far; what is said of three is better than that there are too many.
_MOST_DIMENSIONS = 32


class InputTensor(RequestBody):
    """The values of one column, or of all columns in the order of the model's metadata."""

    name: str = Field(description="The column; anything for one tensor of all columns.", examples=["sepal_length"])
    shape: list[int] = Field(
        max_length=_MOST_DIMENSIONS,
        description="`[rows]` or `[rows, 1]` for a column, `[rows, columns]` for all of them.",
        examples=[[2, 4]],
    )
    datatype: Datatype = Field(description="The type of the values.", examples=["FP64"])
    parameters: Parameters | None = Field(
        default=None,
        max_length=_MOST_PARAMETERS,
        description="`binary_data_size`: how many bytes behind the JSON hold the values. Others have no effect.",
    )
    # Checked against type and shape, all values at once.
    data: Annotated[list[Any] | None, SkipValidation] = Field(
        default=None,
        description="The values in row-major order, flat or nested as `shape` says; null is a missing value.",
        examples=[[5.1, 3.5, 1.4, 0.2, 6.2, 3.4, 5.4, 2.3]],
    )


class RequestedOutput(RequestBody):
    """An output that is asked for."""

    name: str = Field(description="`predict` or `predict_proba`.", examples=["predict"])
    parameters: Parameters | None = Field(
        default=None,
        max_length=_MOST_PARAMETERS,
        description="`binary_data`: true for the values as bytes behind the JSON.",
    )


class InferRequest(RequestBody):
    """Rows to predict for."""

    id: str | None = Field(default=None, description="Comes back in the answer.", examples=["42"])
    model_name: str | None = Field(default=None, description="May repeat the model of the address.")
    model_version: str | None = Field(default=None, description="May repeat the version of the address.")
    parameters: Parameters | None = Field(
        default=None,
        max_length=_MOST_PARAMETERS,
        description="`binary_data_output`: true for all outputs as bytes. Others have no effect.",
    )
    inputs: list[InputTensor] = Field(
        min_length=1,
        max_length=_MOST_INPUTS,
        description="One tensor for each column, or one for all columns together.",
    )
    outputs: list[RequestedOutput] | None = Field(
        default=None,
        max_length=_MOST_OUTPUTS,
        description="`predict` alone by default; `predict_proba` is there for classifiers that have it.",
    )


class OutputTensor(ResponseBody):
    """The values of one output."""

    name: str = Field(description="`predict` or `predict_proba`.", examples=["predict"])
    shape: list[int] = Field(description="`[rows]`, or `[rows, classes]` for probabilities.", examples=[[2]])
    datatype: Datatype = Field(description="The type of the values.", examples=["BYTES"])
    parameters: Parameters | None = Field(
        default=None, description="`binary_data_size` of an output whose values are behind the JSON."
    )
    data: list[Any] | None = Field(
        default=None, description="The values in row-major order.", examples=[["setosa", "virginica"]]
    )


class InferAnswer(ResponseBody):
    """What was predicted."""

    id: str | None = Field(default=None, description="As asked.", examples=["42"])
    model_name: str = Field(description="As asked.", examples=["iris"])
    model_version: str = Field(description="The version that predicted.", examples=["1"])
    parameters: Parameters = Field(
        description="`environment` and `target` of the model; `warnings` where something is worth knowing."
    )
    outputs: list[OutputTensor] = Field(description="In the order in which they were asked for.")


class TensorMetadata(ResponseBody):
    """What a tensor has to be, or is."""

    name: str = Field(description="The column, or the output.", examples=["sepal_length"])
    datatype: Datatype = Field(description="The type of its values; any type of numbers is taken for numbers.")
    shape: list[int] = Field(description="-1 stands for any number of rows.", examples=[[-1]])
    parameters: Parameters | None = Field(
        default=None,
        description="Of an input: its `kind`, whether values may be missing, and whether the model uses it. Of "
        "probabilities: their `classes`.",
    )


class ModelMetadata(ResponseBody):
    """What a model takes and gives."""

    name: str = Field(description="As asked.", examples=["iris"])
    versions: list[str] = Field(description="The active versions in this environment, the newest first.")
    platform: str = Field(description="What made it.", examples=["sklearn"])
    inputs: list[TensorMetadata] = Field(description="One for each column, in their order.")
    outputs: list[TensorMetadata] = Field(description="`predict`, and `predict_proba` where the model has it.")
    parameters: Parameters = Field(
        description="`environment`, `version`, `target` and `task` of the model, and `one_tensor`: how to send all "
        "columns in one."
    )


class ServerMetadata(ResponseBody):
    """What serves here."""

    name: str = Field(description="The name of the server.", examples=["ml-mini-platform"])
    version: str = Field(description="Its release.", examples=["0.1.0"])
    extensions: list[str] = Field(description="The extensions of the protocol that it has.")


class ServerLive(ResponseBody):
    """The process is up."""

    live: bool = Field(default=True, description="Always true.")


class ServerReady(ResponseBody):
    """Requests can be served."""

    ready: bool = Field(default=True, description="Always true; otherwise the answer is an error.")


class ModelReady(ResponseBody):
    """A model is in memory and answers."""

    name: str = Field(description="As asked.", examples=["iris"])
    ready: bool = Field(default=True, description="Always true; otherwise the answer is an error.")


class IndexRequest(RequestBody):
    """Which models to list."""

    ready: bool = Field(default=False, description="True for those only that are ready; all that are listed are.")


class IndexedModel(ResponseBody):
    """One version that is active in an environment."""

    name: str = Field(description="The name to ask for, with the environment.", examples=["iris@staging"])
    version: str = Field(description="The version.", examples=["1"])
    state: str = Field(default="READY", description="Always READY: it is loaded when it is asked for.")
    reason: str = Field(default="", description="Always empty.")


class V2Error(ResponseBody):
    """Every error of this protocol."""

    error: str = Field(
        description="What is wrong, and how to fix it; several problems stand in lines of their own.",
        examples=["There is no dataset 'iriss'. Did you mean 'iris'?"],
    )
