"""Lines that jobs say to people: harmless, bounded, one after the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.jobs.logs import LONGEST_LINE, one_line
from worker.lines import Lines, Tail

HARMLESS = {
    "plain": ("fitting on 819 rows", "fitting on 819 rows"),
    "other scripts": ("Größe × 漢字 🙂", "Größe × 漢字 🙂"),  # noqa: RUF001 - the sign of multiplication is meant
    "a NUL": ("a\0b", "a b"),
    "a line end": ("one\ntwo\r\nthree\x85four\u2028five", "one two three four five"),
    "a progress bar": ("10%\r20%\r30%", "10% 20% 30%"),
    "colours": ("\x1b[1;31mred\x1b[0m \x9b4mline", "red line"),
    "a title for the terminal": ("\x1b]0;owned\x07said \x1b]8;;http://a\x1b\\link", "said link"),
    "a broken escape": ("end \x1b", "end"),
    "a reset of the terminal": ("\x1bcgone", "gone"),
    "a turn of the direction": ("abc\u202etxt.exe", "abctxt.exe"),
    "a lone surrogate": ("a\ud800b", "a\ufffdb"),
    "no character": ("a\uffffb\U000e0fffb", "a\ufffdb\ufffdb"),
    "spaces": ("  a\t\tb   c ", "a b c"),
    "nothing": ("\r\n", ""),
}


@pytest.mark.parametrize(("said", "kept"), HARMLESS.values(), ids=HARMLESS)
def test_what_is_said_becomes_one_harmless_line(said: str, kept: str) -> None:
    assert one_line(said) == kept


@pytest.mark.asvs("1.3.3")
def test_a_long_line_is_cut_and_says_so() -> None:
    assert one_line("x" * 1_000) == "x" * 1_000
    for length in (1_001, 10_000):
        assert one_line("x" * length) == "x" * 999 + "…"
    # Also when what is left of a huge text is short: the end of it was not looked at.
    assert one_line("\0" * 4_000) == ""
    assert one_line("\0" * 4_001) == "…"


@pytest.mark.asvs("1.3.3", "16.4.1")
@given(st.text(st.characters(), max_size=50) | st.text("\x1b[]m;0\x07\\", max_size=30))
def test_any_text_becomes_a_line_that_can_be_stored_and_shown(text: str) -> None:
    line = one_line(text)
    assert line.isprintable()
    assert line.encode().decode() == line
    assert one_line(line) == line


def test_lines_wait_until_they_are_written() -> None:
    lines = Lines(most=100)
    for text in ("a", "b", "c"):
        lines.say(text)
    written = lines.waiting(limit=2)
    lines.say("d")
    lines.forget(written)
    assert [(line.number, line.text) for line in lines.waiting(limit=9)] == [(3, "c"), (4, "d")]


def test_a_last_line_is_not_kept_for_the_attempt_may_end_in_another_way() -> None:
    lines = Lines(most=100)
    lines.say("a")
    for text in ("retry", "failed"):
        assert [(line.number, line.text) for line in lines.waiting_and(text)] == [(1, "a"), (2, text)]


def test_no_more_lines_wait_than_the_log_has_room_for() -> None:
    lines = Lines(most=10)
    for number in range(1000):
        lines.say(f"{number}")
    # The one too many tells the log that something was cut.
    assert len(lines.waiting(limit=1000)) == 11


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "job.log"


@pytest.fixture
def tail(path: Path) -> Iterator[Tail]:
    with Tail(path) as tail:
        yield tail


def write(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def test_lines_are_read_as_they_become_complete(path: Path, tail: Tail) -> None:
    assert tail.read() == []
    write(path, b"one\ntw")
    assert tail.read() == ["one"]
    write(path, "o\nthr\N{LATIN SMALL LETTER E WITH ACUTE}".encode()[:-1])
    assert tail.read() == ["two"]
    assert tail.read_rest() == ["thr\ufffd"]


def test_bytes_that_are_no_text_are_read_all_the_same(path: Path, tail: Tail) -> None:
    write(path, b"\xff\xfe\x00\xed\xa0\x80\n")
    assert [one_line(line).isprintable() for line in tail.read()] == [True]


def test_a_line_that_never_ends_takes_no_more_memory_than_a_long_one(path: Path, tail: Tail) -> None:
    for _ in range(40):
        write(path, b"x" * 2**16)
        assert tail.read() == []
    write(path, b"\nshort\n")
    long, short = [line for _ in range(3) for line in tail.read()]
    assert (len(long), short) == (8 * LONGEST_LINE, "short")


def test_a_file_that_grows_without_end_is_emptied(path: Path, tail: Tail) -> None:
    for _ in range(40):
        write(path, b"x\n" * 2**16)
        tail.read()
        assert path.stat().st_size <= 2**21
    tail.read_rest()
    write(path, b"last\n")
    assert "last" in tail.read_rest()


def test_what_is_put_in_the_place_of_the_file_is_not_read(path: Path, tail: Tail, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret\n")
    path.unlink()
    path.symlink_to(tmp_path / "secret")
    assert tail.read_rest() == []
