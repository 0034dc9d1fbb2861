"""The headers that say which model predicted, for answers whose body has no place for it."""

import json

from shared.prediction.predictor import Predictor

# Proxies and clients refuse longer headers, some from 8 KiB on.
_HEADER_BYTES = 4096


def model_headers(predictor: Predictor, warnings: list[str]) -> dict[str, str]:
    """The version and the target of the model, and the warnings if there are any."""
    headers = {"X-Model-Version": str(predictor.version), "X-Model-Target": json.dumps(predictor.signature.target)}
    return headers | {"X-Warnings": fitting_warnings(warnings)} if warnings else headers


def fitting_warnings(warnings: list[str]) -> str:
    """The warnings as JSON for a header: if not all fit, the first ones, and how many are missing."""
    for left_out in range(len(warnings) + 1):
        more = [f"{left_out} more do not fit here; an answer in JSON has all of them."] if left_out else []
        written = json.dumps([*warnings[: len(warnings) - left_out], *more])
        if len(written) <= _HEADER_BYTES:
            break
    return written
