"""Saves a fitted model in MLflow's format: `python mlflow_saving.py FILE FOLDER`."""

import sys

import joblib
import mlflow.sklearn

mlflow.sklearn.save_model(joblib.load(sys.argv[1]), sys.argv[2], serialization_format="pickle")
