"""The Open Inference Protocol, version 2, over gRPC: the models of `/v2`, asked for by calls.

`messages` has the classes of its messages, `tensors` reads requests and writes answers, `service` says what each call
answers, `calls` is what happens around every one, and `server` opens the port. All of it is imported only where
MLMINI_GRPC_PORT is set, for it needs the extra `grpc`.
"""
