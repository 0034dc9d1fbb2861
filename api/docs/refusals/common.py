"""What many operations refuse in the same words."""

from shared.errors import (
    BodyTooLarge,
    IdempotencyKeyReused,
    InvalidCursor,
    InvalidJson,
    InvalidRequest,
    PlatformError,
    UnknownDataset,
    UnknownDatasetVersion,
    UnknownJob,
    UnknownModel,
    UnknownStage,
    UnsupportedMediaType,
)

JOB_ID = "0a159333-8626-4381-a1b0-6656d37b0f43"


def at(error: type[PlatformError], sentence: str, *loc: str | int) -> PlatformError:
    """An error with one fault, whose sentence is the detail."""
    return error(sentence, errors=[{"loc": list(loc), "msg": sentence}])


def query(name: str, fault: str) -> PlatformError:
    """A parameter with a wrong value."""
    return InvalidRequest(
        f"Query parameter '{name}': {fault[0].lower()}{fault[1:]}", errors=[{"loc": ["query", name], "msg": fault}]
    )


PARAMETER = at(InvalidRequest, "There is no query parameter 'nam'. This address takes none.", "query", "nam")
_LIMIT = query("limit", "It must be less than or equal to 200, not '500'.")
PAGE = [_LIMIT, InvalidCursor()]
DATASET = UnknownDataset("There is no dataset 'iriss'. Did you mean 'iris'?")
VERSION = UnknownDatasetVersion(
    "The dataset 'iris' has no version 9; its newest is 1. GET /datasets/iris/versions lists them."
)
JOB = UnknownJob(f"There is no job '{JOB_ID}'. GET /jobs lists the jobs.")
MODEL = UnknownModel("There is no model of version 9. GET /models lists the models.")
STAGE = UnknownStage("There is no stage 'stagging'. The stages are: dev, staging, production. Did you mean 'staging'?")
JSON_BODY = [
    BodyTooLarge("The body is larger than the 4,194,304 bytes that this call takes."),
    UnsupportedMediaType("Send the body as JSON in UTF-8, with the header 'Content-Type: application/json'."),
    InvalidJson(
        "The body is not valid JSON: NaN is not a JSON number (use null for a missing value) at line 1, column 12.",
        errors=[
            {
                "loc": ["body"],
                "msg": "NaN is not a JSON number (use null for a missing value) at line 1, column 12",
            }
        ],
    ),
]
KEY_REUSED = IdempotencyKeyReused(
    "The Idempotency-Key 'my-first-model' was used with another body. Use a new key for a new request."
)
