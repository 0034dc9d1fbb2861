"""What the docs say at the top, and how they group the operations: in the order of the walk."""

TITLE = "ML Mini Platform"
DESCRIPTION = """\
From a table to a governed, served model. Every operation below is filled in with a request, on example data that
is here already: open one, press **Execute**. In the order of the walk, each works as it stands on a fresh platform;
only Upload asks for a file of yours first. Later, put the `version` that your job names in place of the `1`.

1. [Upload](#/Datasets/upload_dataset) a table, or use one that is there: `iris`, `wine`, `breast_cancer`, `diabetes`.
2. [Train](#/Train/train_model) any scikit-learn estimator on it. The answer comes at once and names a job.
3. [Follow the job](#/Jobs/get_job) until it has succeeded; its result has the version of the model.
   [Its report](#/Models/report_model) says what the model is worth, with pictures in a browser.
4. [Promote](#/Promote/promote_model) the model from `dev` to `staging`, and later to `production`.
5. [Predict](#/Predict/predict) with the newest model of an environment.

Every error says what is wrong and how to fix it, with a `code` that [never changes](#/Errors/list_error_codes).
So does every [finding](#/Findings/list_finding_codes): what the reading of a table is not sure of, or did and tells.
"""
TAGS = [
    {"name": "Datasets", "description": "Step 1. Tables in the catalog, with all their versions."},
    {"name": "Train", "description": "Step 2. Fit any scikit-learn estimator to a dataset, in the background."},
    {"name": "Jobs", "description": "Step 3. What has become of accepted work."},
    {"name": "Models", "description": "What training made: metrics, signatures, files, where each version serves."},
    {"name": "Promote", "description": "Step 4. Bring a model to the next stage."},
    {"name": "Predict", "description": "Step 5. Ask the newest model of an environment."},
    {
        "name": "Open Inference Protocol",
        "description": "Step 5 for clients of Triton, MLServer and KServe: the same models by the protocol that they "
        'speak, version 2, in JSON or with binary tensors. Its errors are `{"error": ...}`.',
    },
    {
        "name": "MLflow scoring",
        "description": "Step 5 for clients of `mlflow models serve`: the same models at `/serve/{model}`. Its errors "
        'are `{"error_code": ..., "message": ...}`.',
    },
    {
        "name": "Access",
        "description": "Who may do what. While there are no accounts, everybody who reaches this address may do "
        "everything.",
    },
    {"name": "Operations", "description": "How the platform is."},
    {"name": "Errors", "description": "What the codes of errors mean."},
    {"name": "Findings", "description": "What the codes mean that the reading of a table tells."},
]
