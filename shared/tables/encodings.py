"""Tells the encoding of a text that is not UTF-8, as far as its bytes tell it."""

import re
import unicodedata
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from charset_normalizer import from_bytes

from shared.errors import ReadingRefused
from shared.tables.raw_text import raw_blocks

# Western Europe first: it is by far the most common one, and others often read its bytes without an error.
_WESTERN = "cp1252"
_CENTRAL = ("cp1250", "iso8859_2")
# Those that the detector tells well; the others that it knows differ from these by few letters, or are hardly used.
_OTHER_SCRIPTS = frozenset(
    {"big5", "cp1251", "cp1253", "cp1255", "cp1256", "cp866", "cp874", "cp932", "cp949", "euc_jis_2004", "euc_jp"}
    | {"euc_kr", "gb18030", "iso2022_jp", "iso8859_5", "iso8859_6", "iso8859_7", "iso8859_8", "koi8_r", "koi8_u"}
    | {"shift_jis", "shift_jis_2004", "tis_620"}
)
_RARE = ("cp850", "mac_roman")

_SAMPLE_BYTES = 128 * 1024
_IN_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]")
_ONLY_WINDOWS = re.compile(rb"[\x80-\x9f]")
# Letters with whatever beyond ASCII is among them.
_TOKEN = re.compile(r"[A-Za-z]*[^\x00-\x7f][A-Za-z\x80-\U0010ffff]*")
_FOREIGN_RUN = 3
# A text of which more words than these look wrong is in an encoding that was not found.
_MOST_ODD = 0.3
# So few of them say nothing against the encoding of files of the same kind.
_FEW = 3


class GuessedEncoding(NamedTuple):
    """An encoding, the line that first has a letter beyond ASCII, how many such lines, and a word as it reads there."""

    encoding: str
    line: int
    lines: int
    word: str


def guess_encoding(path: Path, compression: str | None, *, likely: str | None = None) -> GuessedEncoding:
    """The encoding of a text that is not UTF-8 as a whole; a `likely` one wins where nothing speaks against it.

    Raises:
        ReadingRefused: when it is UTF-8 but for a few bytes, naming the line of the first; or when none fits.
    """
    found = _look(path, compression)
    in_utf8 = sum(map(len, _IN_UTF8.findall(found.sample)))
    high = len(_HIGH.findall(found.sample))
    if in_utf8 * 2 >= high:
        raise ReadingRefused(
            f"Line {found.broken} holds bytes that are not UTF-8, though the rest of the file is: "
            f"{found.broken_text!r}. Correct that line, or send 'encoding' with the encoding of the whole file.",
            errors=[{"loc": ["file", found.broken], "msg": "not UTF-8"}],
        )
    # What Latin-1 holds is told from Windows-1252 below.
    expected = likely and _rate(found.sample, _WESTERN if likely == "latin-1" else likely)
    if expected and (expected.odd <= _MOST_ODD or expected.odd * expected.words < _FEW):
        return _guessed(found, expected)
    detected = [match.encoding for match in from_bytes(found.sample) if match.encoding in _OTHER_SCRIPTS]
    ratings = map(partial(_rate, found.sample), (_WESTERN, *_CENTRAL, *detected, *_RARE))
    rated = [rating for rating in ratings if rating is not None]
    if rated and rated[0].encoding == _WESTERN and rated[0].odd <= _MOST_ODD:
        del rated[1:]
    best = min(rated, key=lambda rating: rating.odd, default=None)
    if best is None or best.odd > _MOST_ODD:
        raise ReadingRefused(
            f"The file is not UTF-8, and its bytes do not tell its encoding; line {found.broken} is the first with "
            "letters beyond ASCII. Send 'encoding', such as cp1252, or save the file as UTF-8.",
            errors=[{"loc": ["file", found.broken], "msg": "unknown encoding"}],
        )
    return _guessed(found, best)


class _Sampled(NamedTuple):
    sample: bytes
    broken: int
    broken_text: str
    lines: int


def _look(path: Path, compression: str | None) -> _Sampled:
    """Lines with bytes beyond ASCII, the first one that is not UTF-8, and how many there are."""
    sample, count, broken, broken_text, number = bytearray(), 0, 0, "", 0
    for number, line in enumerate(_lines(path, compression), start=1):
        if line.isascii():
            continue
        count += 1
        if not broken:
            try:
                line.decode()
            except UnicodeDecodeError:
                broken, broken_text = number, line.strip()[:60].decode("utf-8", "replace")
                # What comes behind the first broken line has to be seen, too.
                del sample[_SAMPLE_BYTES // 2 :]
        if len(sample) < _SAMPLE_BYTES:
            sample += line[:1024]
    return _Sampled(bytes(sample), broken or number, broken_text, count)


def _lines(path: Path, compression: str | None) -> Iterator[bytes]:
    rest = b""
    for block in raw_blocks(path, compression):
        *whole, rest = (rest + block).splitlines(keepends=True) or [b""]
        yield from whole
    if rest:
        yield rest


class _Rating(NamedTuple):
    """Of words with letters beyond ASCII: the share that looks wrong in an encoding, the first, how many there are."""

    odd: float
    encoding: str
    word: str
    words: int


def _rate(sample: bytes, encoding: str) -> _Rating | None:
    try:
        text = sample.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None
    tokens = _TOKEN.findall(text)
    return _Rating(sum(map(_is_odd, tokens)) / max(len(tokens), 1), encoding, tokens[0] if tokens else "", len(tokens))


def _guessed(found: _Sampled, best: _Rating) -> GuessedEncoding:
    latin = best.encoding == _WESTERN and not _ONLY_WINDOWS.search(found.sample)
    return GuessedEncoding("latin-1" if latin else best.encoding, found.broken, found.lines, best.word)


def _is_odd(token: str) -> bool:
    """Whether a word mixes scripts or cases, has signs within, or many Latin letters beyond ASCII in a row."""
    categories = [unicodedata.category(letter) for letter in token]
    if any(category in {"Cc", "Cn", "Co"} for category in categories):
        return True
    letters = [letter for letter, category in zip(token, categories, strict=True) if category[0] == "L"]
    if letters and any(category[0] == "S" or category == "No" for category in categories[:-1]):
        return True
    if any(before == "Ll" and after == "Lu" for before, after in pairwise(categories)):
        return True
    scripts = {unicodedata.name(letter, "?").split()[0] for letter in letters}
    if len(scripts) > 1:
        return not scripts <= {"HIRAGANA", "KATAKANA", "CJK", "KATAKANA-HIRAGANA", "IDEOGRAPHIC"}
    runs = re.findall(r"[^\x00-\x7f]+", token)
    return scripts == {"LATIN"} and max(map(len, runs), default=0) >= _FOREIGN_RUN
