"""Uploads of files, parsed from the stream of the request, with little memory whatever their size.

The framework's own form parser would first write the whole body to disk.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from anyio import CapacityLimiter, to_thread
from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from shared.datasets.spool import Spool, Spooled
from shared.errors import BodyTooLarge, InvalidRequest, Members, UnsupportedMediaType, closest, meant
from shared.tables.controls import find_control

FILE = "file"

_MEDIA_TYPE = "multipart/form-data"
_BATCH_BYTES = 2**20
_LONGEST_FILE_NAME = 255
_HINT = f"Send the file as the part '{FILE}' of a {_MEDIA_TYPE} body, for instance with `curl -F {FILE}=@table.csv`."


@dataclass(frozen=True)
class ReceivedFile:
    """A file that has arrived completely, its name at the client, and the other fields of the form."""

    file: Spooled
    file_name: str
    fields: dict[str, str]


@asynccontextmanager
async def received_upload(
    request: Request, *, folder: Path, max_bytes: int, fields: Mapping[str, int], threads: CapacityLimiter
) -> AsyncIterator[ReceivedFile]:
    """Receive an upload into a file in `folder`, which lasts as long as the block and is written by `threads`.

    `fields` are the other fields that may come, before or after the file, with the most bytes of each.

    Raises:
        UnsupportedMediaType: when the body is no multipart form.
        BodyTooLarge: when the file is larger than `max_bytes`.
        InvalidRequest: when the form is broken, incomplete or has other parts.
        ScratchFull: when there is no room for the file.
        ScratchUnavailable: when it cannot be written for another reason.
    """
    parser_of = _boundary(request)
    spool = Spool(folder)
    try:
        form = _Form(fields, max_bytes)
        parser = MultipartParser(parser_of, form.callbacks())
        try:
            async for chunk in request.stream():
                parser.write(chunk)
                if len(form.waiting) >= _BATCH_BYTES:
                    await to_thread.run_sync(spool.write, form.take(), limiter=threads)
        except FormParserError:
            raise _broken("is not built as such a form has to be") from None
        except ClientDisconnect:
            raise _broken("ends early: the client is gone") from None
        await to_thread.run_sync(spool.write, form.take(), limiter=threads)
        form.check_complete()
        file = await to_thread.run_sync(spool.finish, limiter=threads)
        yield ReceivedFile(file, form.file_name or "", form.fields)
    finally:
        spool.discard()


class _Form:
    """What the parser has found so far. The data of the file is in `waiting` until it is taken."""

    def __init__(self, allowed: Mapping[str, int], max_bytes: int) -> None:
        self._allowed = allowed
        self._max_bytes = max_bytes
        self.waiting = bytearray()
        self.file_name: str | None = None
        self.fields: dict[str, str] = {}
        self._received = 0
        self._ended = False
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._disposition = ""
        self._part = ""
        self._value = bytearray()

    def callbacks(self) -> Any:
        """The functions that the parser calls, by its names for them."""
        return {
            "on_part_begin": self._begin_part,
            "on_header_field": lambda data, start, end: self._header_name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header_value.extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._open_part,
            "on_part_data": self._add,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def take(self) -> bytearray:
        """Take the data of the file that waits."""
        taken, self.waiting = self.waiting, bytearray()
        return taken

    def check_complete(self) -> None:
        """Raise InvalidRequest unless the form is complete and has a file."""
        if not self._ended:
            raise _broken("ends before its closing boundary")
        if self.file_name is None:
            raise InvalidRequest(f"There is no file. {_HINT}", errors=[{"loc": ["body", FILE], "msg": "is missing"}])

    def _begin_part(self) -> None:
        self._disposition = ""
        self._value.clear()

    def _end_header(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value.decode("latin-1")
        self._header_name.clear()
        self._header_value.clear()

    def _open_part(self) -> None:
        kind, options = parse_options_header(self._disposition)
        if kind != b"form-data" or b"name" not in options:
            raise _broken("has a part without a name")
        self._part = options[b"name"].decode("utf-8", "replace")
        if self._part in self.fields or (self._part == FILE and self.file_name is not None):
            raise _refused(self._part, f"The part '{self._part}' comes twice. Send one.")
        if self._part == FILE:
            self.file_name = self._read_file_name(options.get(b"filename"))
        elif self._part not in self._allowed:
            known = [FILE, *self._allowed]
            near = closest(self._part, known)
            sentence = f"There is no field '{self._part}'.{meant(near)} The fields are: {self._names()}."
            raise _refused(self._part, sentence, did_you_mean=near, available=known)

    def _read_file_name(self, raw: bytes | None) -> str:
        name = (raw or b"").decode("utf-8", "replace")
        if raw == b"":
            raise _refused(FILE, f"No file was chosen. {_HINT}")
        if len(name) > _LONGEST_FILE_NAME:
            raise _refused(FILE, f"The file name has {len(name)} characters, the limit is {_LONGEST_FILE_NAME}.")
        _check_characters(FILE, name, "The file name")
        return name

    def _add(self, data: bytes, start: int, end: int) -> None:
        if self._part == FILE:
            self._received += end - start
            if self._received > self._max_bytes:
                raise BodyTooLarge(
                    f"The file is larger than the {self._max_bytes:,} bytes that MLMINI_UPLOAD_MAX_BYTES allows. Split "
                    "or compress it.",
                    limit=self._max_bytes,
                    setting="MLMINI_UPLOAD_MAX_BYTES",
                )
            self.waiting += data[start:end]
            return
        self._value += data[start:end]
        most = self._allowed[self._part]
        if len(self._value) > most:
            raise _refused(self._part, f"The field '{self._part}' is longer than {most:,} bytes.")

    def _end_part(self) -> None:
        if self._part == FILE:
            return
        try:
            value = self._value.decode()
        except UnicodeDecodeError:
            raise _refused(self._part, f"The field '{self._part}' is not UTF-8.") from None
        _check_characters(self._part, value, f"The field '{self._part}'")
        self.fields[self._part] = value

    def _end(self) -> None:
        self._ended = True

    def _names(self) -> str:
        return ", ".join([FILE, *self._allowed])


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != _MEDIA_TYPE.encode():
        raise UnsupportedMediaType(
            f"The body has the content type '{kind.decode('latin-1') or 'none'}', but must be {_MEDIA_TYPE}. {_HINT}"
        )
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= 70:
        raise _broken("has no boundary of 1 to 70 characters in its content type; let the client library set it")
    return boundary


def _check_characters(part: str, text: str, what: str) -> None:
    if control := find_control(text):
        raise _refused(part, f"{what} holds {control.name}. Leave it out.")


def _broken(how: str) -> InvalidRequest:
    return InvalidRequest(f"The {_MEDIA_TYPE} body {how}. {_HINT}", errors=[{"loc": ["body"], "msg": how}])


def _refused(part: str, why: str, **members: Unpack[Members]) -> InvalidRequest:
    return InvalidRequest(why, errors=[{"loc": ["body", part], "msg": why}], **members)
