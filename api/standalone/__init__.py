"""A server of one exported model, without a platform behind it: `python -m api.standalone FOLDER`.

At its root it speaks the contract of containers for SageMaker and of `mlflow models serve`, and besides what the
platform speaks for a model.
"""
