"""The frame of the command line: four exit codes, a sentence for each end, never a traceback."""

import pytest

from relay import __version__
from relay.cli import main
from relay.cli.ending import Unreachable, WrongUse
from relay.cli.frame import ACCOUNT, QUEUE, VERBS, ExitCode, run
from relay.errors import StoreFull

PROMISED = {
    "serve", "check", "plan", "status", "queue", "account", "explain", "classify", "simulate", "sandbox",
    "secret", "keys", "hash-password", "optout", "recipients", "replies", "notices",
}  # fmt: skip


@pytest.fixture
def verb(monkeypatch):
    """Makes `relay check` do something else."""

    def replace_with(function):
        monkeypatch.setattr("relay.cli.frame._loaded", lambda home: function)

    return replace_with


def test_every_verb_of_the_interface_is_known():
    assert {each.name for each in VERBS} == PROMISED


ABSENT = [
    *(each.name for each in VERBS if each.home is None and not each.verbs),
    *(f"queue {each.name}" for each in QUEUE if each.home is None),
    *(f"account {each.name}" for each in ACCOUNT if each.home is None),
]


def test_the_queues_verbs_of_the_interface_are_known():
    assert {each.name for each in QUEUE} == {"list", "show", "check", "migrate", "retry", "hold", "release", "cancel"}


def test_the_accounts_verbs_of_the_interface_are_known():
    known = "list show pause resume fixed test set-password connect add move remove set-limits import"
    assert [each.name for each in ACCOUNT] == known.split()


@pytest.mark.parametrize("name", ABSENT)
def test_a_verb_that_is_not_there_yet_says_so(name, capsys):
    assert run([*name.split(), "--json", "x", "--help"]) == ExitCode.WRONG_USE
    captured = capsys.readouterr()
    assert captured.err == f"relay: `relay {name}` is not there yet\n"
    assert captured.out == ""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["check", "--help"], ["queue", "--help"], ["queue", "list", "--help"]]
)
def test_help_is_help(arguments, capsys):
    assert run(arguments) == ExitCode.DONE
    assert (arguments[-2:-1] or ["check"])[0] in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--help"], ["queue", "--help"], ["account", "--help"]])
def test_help_marks_what_is_not_there_yet_and_nothing_else(arguments, capsys, monkeypatch):
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 200)
    run(arguments)
    lines = capsys.readouterr().out.splitlines()
    verbs = {"queue": QUEUE, "account": ACCOUNT}.get(arguments[0], VERBS)
    for verb in verbs:
        (line,) = [each for each in lines if each[1:].strip().startswith(f"{verb.name} ")]
        assert ("(not there yet)" in line) == (verb.home is None and not verb.verbs), line


@pytest.mark.parametrize("arguments", [["chek"], ["--nonsense"], ["check", "--nonsense"], ["queue", "lst"]])
def test_wrong_use_is_two(arguments, capsys):
    assert run(arguments) == ExitCode.WRONG_USE
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert captured.err


def test_without_a_verb_it_shows_what_there_is(capsys):
    run([])
    captured = capsys.readouterr()
    assert "sandbox" in captured.out + captured.err


def test_the_version_is_said(capsys):
    assert run(["--version"]) == ExitCode.DONE
    assert capsys.readouterr().out == f"clinic-relay {__version__}\n"


def test_a_verb_that_does_its_work_ends_with_zero(verb):
    verb(lambda: None)
    assert run(["check"]) == ExitCode.DONE


def test_a_problem_is_a_sentence(verb, capsys):
    def fails() -> None:
        raise StoreFull

    verb(fails)
    assert run(["check"]) == ExitCode.PROBLEM
    assert capsys.readouterr().err == "relay: no space is left for mail\n"


@pytest.mark.parametrize(
    ("error", "code"), [(Unreachable("nobody listens"), ExitCode.UNREACHABLE), (WrongUse("so"), ExitCode.WRONG_USE)]
)
def test_an_error_may_have_a_code_of_its_own(verb, capsys, error, code):
    def fails() -> None:
        raise error

    verb(fails)
    assert run(["check"]) == code
    assert capsys.readouterr().err == f"relay: {error}\n"


def test_only_the_verb_that_was_asked_for_is_loaded(monkeypatch):
    loaded: list[str] = []

    def load(home: str):
        loaded.append(home)
        return lambda: None

    monkeypatch.setattr("relay.cli.frame._loaded", load)
    assert run(["queue", "list"]) == ExitCode.DONE
    assert loaded == ["queue:list_queue"]


def test_a_defect_names_its_place_and_never_its_text(verb, capsys):
    def fails() -> None:
        raise ValueError("anna.verdi@example.com")

    verb(fails)
    assert run(["check"]) == ExitCode.PROBLEM
    error = capsys.readouterr().err
    assert error.startswith("relay: a defect of the relay, please report it: ValueError at test_frame.py:")
    assert "anna" not in error
    assert len(error.splitlines()) == 1


def test_an_interrupted_verb_says_so(verb, capsys):
    def fails() -> None:
        raise KeyboardInterrupt

    verb(fails)
    assert run(["check"]) == ExitCode.PROBLEM
    assert "Traceback" not in capsys.readouterr().err


def test_the_process_ends_with_the_code(verb, monkeypatch):
    verb(lambda: None)
    monkeypatch.setattr("sys.argv", ["relay", "check"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
