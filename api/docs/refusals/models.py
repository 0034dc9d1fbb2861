"""Problems of models, promotion and prediction."""

from api.docs.refusals.common import DATASET, JSON_BODY, KEY_REUSED, MODEL, PAGE, STAGE, at
from api.http.problems import RangeNotSatisfiable
from shared.errors import (
    AlreadyInStage,
    InvalidInput,
    InvalidRequest,
    MissingNotAllowed,
    ModelBusy,
    ModelUnavailable,
    NoActiveModel,
    NotActive,
    PlatformError,
    PredictionTooSlow,
    StageSkipped,
    TargetDiffers,
    UnknownModel,
)

REFUSALS: dict[str, list[PlatformError]] = {
    "list_models": [STAGE, *PAGE],
    "compare_models": [
        MODEL,
        at(
            InvalidRequest,
            "'versions' must be 2 to 10 different version numbers, such as 'versions=1,2'.",
            *("query", "versions"),
        ),
    ],
    "get_model": [MODEL],
    "download_artifact": [
        MODEL,
        NotActive("Version 1 has never been in 'staging', only in: dev."),
        STAGE,
        RangeNotSatisfiable("The file has 155668 bytes; the range asks for none of them."),
    ],
    "retire_model": [
        MODEL,
        NotActive("Version 1 is not active in 'staging'. It is active in: dev."),
        TargetDiffers(
            "Version 5 predicts 'petal_width'. After it version 1 would serve in 'dev', which predicts 'target'. With "
            "\"replace_target\": true it does; else retire version 1 from 'dev' first."
        ),
        STAGE,
        *JSON_BODY,
    ],
    "promote_model": [
        UnknownModel("Dataset 'iris' has no model of version 9. GET /models?dataset_name=iris lists its models."),
        DATASET,
        StageSkipped(
            "Version 1 is not active in 'staging', the stage before 'production'. Stages are passed one by one: "
            "dev -> staging -> production."
        ),
        AlreadyInStage("Version 1 is active in 'dev' already."),
        TargetDiffers(
            "Version 5 predicts 'petal_width', but version 1, which serves in 'staging', predicts 'target'. Who asks "
            'there would get answers of another meaning. With "replace_target": true the promotion also retires '
            "every version of another target from 'staging'."
        ),
        STAGE,
        KEY_REUSED,
        *JSON_BODY,
    ],
    "predict": [
        DATASET,
        NoActiveModel("No model of 'iris' is active in 'staging'. Bring one there from 'dev' with POST /promote."),
        NotActive(
            "Version 5 of 'iris' is not active in 'staging'; version 1 serves there. "
            "GET /models?dataset_name=iris&stage=staging lists the active versions."
        ),
        InvalidInput(
            "The input has 2 faults. The first one: Column 'petal_length' (number), row 0: the text 'long' is not a "
            "number.",
            errors=[
                {
                    "loc": ["body", "input_data", "features", 0, 2],
                    "msg": "Column 'petal_length' (number), row 0: the text 'long' is not a number.",
                },
                {
                    "loc": ["body", "input_data", "features", 1, 3],
                    "msg": "Column 'petal_width' (number), row 1: the text 'wide' is not a number.",
                },
            ],
        ),
        at(
            MissingNotAllowed,
            "Column 'petal_width' is missing in row 0; the model needs a value.",
            *("body", "input_data", "records", 0, "petal_width"),
        ),
        STAGE,
        *JSON_BODY,
        ModelUnavailable(
            "Model 1 was not loaded. The file 'iris_model_staging_v1.pkl' has other contents than the one that was "
            "registered. Restore the file from a backup, or retire the version and train again."
        ),
        ModelBusy(
            "Version 1 of 'iris' has more requests at a time than it can answer. Try again later, with fewer requests "
            "and more rows in each."
        ),
        PredictionTooSlow(
            "Version 1 of 'iris' did not predict within 30 seconds. Send fewer rows at a time, promote a model that "
            "predicts faster, or raise MLMINI_PREDICT_SECONDS."
        ),
    ],
}
