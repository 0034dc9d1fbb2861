"""The protocols of other servers of models, over the models that are served here.

`v2` is the Open Inference Protocol (Triton, MLServer, KServe), `mlflow` that of `mlflow models serve`. What a message
says is read and written here, without HTTP and without a model at hand; the addresses are in `api.routes`.
"""
