"""`relay hash-password`: a hash on stdout, the password nowhere."""

import io

import pytest

from relay.cli import hash_password
from relay.cli.frame import ExitCode, run
from relay.submission.passwords import is_right


class Typed(io.StringIO):
    """A terminal at which somebody types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch):
    """Types these answers at the prompts."""

    def answer(*lines: str) -> None:
        waiting = list(lines)

        def getpass(prompt: str) -> str:
            if not waiting:
                raise EOFError
            return waiting.pop(0)

        monkeypatch.setattr("sys.stdin", Typed())
        monkeypatch.setattr(hash_password, "getpass", getpass)

    return answer


@pytest.mark.parametrize(
    ("said", "password"),
    [("segreta\n", "segreta"), ("segreta", "segreta"), (" è \r\n", " è "), ("segreta\n\n", "segreta")],
)
def test_reads_a_line_of_stdin(said: str, password: str, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(said))
    assert run(["hash-password"]) == ExitCode.DONE
    captured = capsys.readouterr()
    assert captured.err == ""
    assert is_right(captured.out.strip(), password.encode())
    assert password.strip() not in captured.out


def test_two_hashes_of_one_password_differ(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    hashes = []
    for _ in range(2):
        monkeypatch.setattr("sys.stdin", io.StringIO("segreta\n"))
        run(["hash-password"])
        hashes.append(capsys.readouterr().out)
    assert hashes[0] != hashes[1]


def test_asks_twice_at_a_terminal(typed, capsys) -> None:
    typed("segreta", "segreta")
    assert run(["hash-password"]) == ExitCode.DONE
    assert is_right(capsys.readouterr().out.strip(), b"segreta")


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        (("segreta", "altra"), "the two are not the same"),
        (("",), "no password was given"),
        ((), "no password was given"),
    ],
)
def test_says_what_was_wrong_at_the_terminal(answers: tuple[str, ...], problem: str, typed, capsys) -> None:
    typed(*answers)
    assert run(["hash-password"]) == ExitCode.WRONG_USE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"relay hash-password: {problem}\n"


def test_says_that_stdin_was_empty(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run(["hash-password"]) == ExitCode.WRONG_USE
    assert "no password was given" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("segreta\naltra\n", "there is more than one line on stdin: which of them is the password?"),
        ("segreta\raltra", "there is more than one line on stdin: which of them is the password?"),
        ("s" * 8_193, "that is too long for a password"),
    ],
)
def test_a_file_that_is_no_password_is_refused_and_not_repeated(
    said: str, problem: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(said))
    assert run(["hash-password"]) == ExitCode.WRONG_USE
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"relay hash-password: {problem}\n")


def test_a_password_that_was_typed_behind_it_is_refused_and_not_said_again(capsys):
    assert run(["hash-password", "segreta"]) == ExitCode.WRONG_USE
    said = capsys.readouterr()
    assert "segreta" not in said.out + said.err
