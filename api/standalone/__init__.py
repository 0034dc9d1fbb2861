"""A server of one exported model, without a platform behind it: `python -m api.standalone FOLDER`.

At its root it speaks the protocol of SageMaker containers and of `mlflow models serve`; besides that, it has the
addresses by which the platform predicts.
"""
