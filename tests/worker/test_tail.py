"""What the computing process says is read on, and neither memory nor disk grow with it."""

from pathlib import Path

from worker.lines import Tail


def test_lines_come_once_they_are_complete(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    with Tail(path) as tail, path.open("a") as said:
        said.write("one\ntw")
        said.flush()
        assert tail.read() == ["one"]
        said.write("o\nthr")
        said.flush()
        assert tail.read() == ["two"]
        assert tail.read_rest() == ["thr"]


def test_a_process_that_says_too_much_at_once_is_cut_and_the_log_tells_so(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    with Tail(path) as tail, path.open("a") as said:
        said.writelines(f"line {number}\n" for number in range(200_000))
        said.flush()
        lines = tail.read()
        assert lines[0] == "line 0"
        assert "left out" in lines[-1]
        assert path.stat().st_size == 0
        said.write("afterwards\n")
        said.flush()
        assert tail.read_rest() == ["afterwards"]


def test_a_line_without_an_end_is_not_kept_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    with Tail(path) as tail, path.open("a") as said:
        said.write("x" * 500_000)
        said.flush()
        (line,) = tail.read_rest()
        assert len(line) < 10_000
