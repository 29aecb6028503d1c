"""The frame of the command line: four exit codes, a sentence for each end, never a traceback."""

import pytest

from relay import __version__
from relay.cli import main
from relay.cli.frame import VERBS, ExitCode, run
from relay.errors import StoreFull

PROMISED = {
    "serve", "check", "plan", "status", "queue", "account", "explain", "classify", "simulate", "sandbox",
    "hash-password",
}  # fmt: skip


@pytest.fixture
def verb(monkeypatch):
    """Makes `relay check` do something else."""

    def replace_with(function):
        monkeypatch.setattr("relay.cli.frame._loaded", lambda home: function)

    return replace_with


def test_every_verb_of_the_interface_is_known():
    assert {each.name for each in VERBS} == PROMISED


@pytest.mark.parametrize("name", sorted(each.name for each in VERBS if each.home is None))
def test_a_verb_that_is_not_there_yet_says_so(name, capsys):
    assert run([name, "--json", "x", "--help"]) == ExitCode.WRONG_USE
    captured = capsys.readouterr()
    assert captured.err == f"relay: `relay {name}` is not there yet\n"
    assert captured.out == ""


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"]])
def test_help_is_help(arguments, capsys):
    assert run(arguments) == ExitCode.DONE
    assert "check" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["chek"], ["--nonsense"], ["check", "--nonsense"]])
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
