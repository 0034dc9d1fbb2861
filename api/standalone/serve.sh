#!/bin/sh
# `serve` in the image, as SageMaker starts its containers: the model is in /opt/ml/model, or where the first word says.
#
# It listens on all addresses of the container, because nothing from outside would reach its loopback; which of them
# reach further is decided where the container is started. MLMINI_ALLOW_OPEN=0 has it refuse that.
set -eu
export MLMINI_ALLOW_OPEN="${MLMINI_ALLOW_OPEN:-1}"
exec python -m api.standalone --host "${MLMINI_HOST:-0.0.0.0}" "$@"
