"""The progress of long work: a bar on a terminal, lines elsewhere, and nothing where there is nothing to show."""

import io

import pytest

from gateway.cli.bar import Bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal_of(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Put it in place; in a fixture, pytest's own capture would come after it."""
    made = Terminal()
    monkeypatch.setattr("sys.stderr", made)
    monkeypatch.setenv("TERM", "xterm")
    return made


def test_a_terminal_is_shown_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    with Bar("replayed") as bar:
        bar.at(1, 2)
        bar.at(2, 2)
    assert "replayed" in terminal.getvalue()
    assert "2/2" in terminal.getvalue()


def test_nothing_to_do_is_shown_no_bar_and_no_error_before_the_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    with Bar("replayed") as bar:
        bar.at(0, 0)
    with pytest.raises(ValueError, match="early"), Bar("replayed"):
        raise ValueError("early")
    assert terminal.getvalue() == ""


def test_elsewhere_every_tenth_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar("replayed") as bar:
        for done in range(21):
            bar.at(done, 20)
    assert capsys.readouterr().err.splitlines() == [f"replayed: {done} of 20" for done in range(2, 21, 2)]


def test_where_nobody_knows_of_how_much_it_is_told_how_much_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Bar("stok.xlsx") as bar:
        for done in range(0, 250_000, 1000):
            bar.at(done, 0)
    assert capsys.readouterr().err.splitlines() == ["stok.xlsx: 100000", "stok.xlsx: 200000"]
    terminal = terminal_of(monkeypatch)
    with Bar("stok.xlsx") as bar:
        bar.at(21_000, 0)
    assert "21000/?" in terminal.getvalue()
