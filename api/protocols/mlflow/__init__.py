"""Messages of the scoring protocol of MLflow: what `mlflow models serve` takes at `/invocations`, and its errors."""
