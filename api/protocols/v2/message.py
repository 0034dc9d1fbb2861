"""A message as bytes: an object in JSON, and behind it the data of its binary tensors one after the other."""

from shared.errors import InvalidRequest

# How long the JSON is; with it, a message may have binary tensors.
JSON_LENGTH = "Inference-Header-Content-Length"
# The parameter of a tensor whose values are among the bytes behind the JSON.
BINARY_SIZE = "binary_data_size"


def split(body: bytes, json_length: str | None) -> tuple[bytes, bytes]:
    """The JSON of a message and the bytes behind it, by the header that tells where they begin.

    Raises:
        InvalidRequest: when it tells a length that the body does not have.
    """
    if json_length is None:
        return body, b""
    length = json_length.strip()
    if not (length.isascii() and length.isdecimal()):
        raise _wrong(f"must be a number of bytes, not '{json_length}'")
    # No body has as many bytes as a number of twenty digits.
    if len(length) > 19 or int(length) > len(body):
        raise _wrong(f"says that the JSON has {length} bytes, but the whole body has {len(body):,}")
    return body[: int(length)], body[int(length) :]


def _wrong(reason: str) -> InvalidRequest:
    sentence = f"The header {JSON_LENGTH} {reason}. Give the length of the JSON before the binary data."
    return InvalidRequest(sentence, errors=[{"loc": ["header", JSON_LENGTH.lower()], "msg": sentence}])
