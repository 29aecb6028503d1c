"""The Lua files: each says what it does, and every script finds the libraries that it needs, in the right order."""

import pytest

from relay.store.redis.scripts import ScriptError, Source, assemble, libraries, load_script, script_names

SAYS = "-- Does something.\n"


def library(name: str, *needs: str) -> Source:
    head = f"-- needs: {' '.join(needs)}\n" if needs else ""
    return Source.of(name, f"{SAYS}{head}local {name} = {{}}\nreturn {name}\n")


def test_every_library_says_what_it_does_and_finds_what_it_needs() -> None:
    for name in libraries():
        assert (
            assemble(Source("any", "return 1\n", (name,)), libraries()).text.count(f"local {name} = (function()") == 1
        )


def test_every_library_gives_its_table() -> None:
    for source in libraries().values():
        assert source.text.splitlines()[-1] == f"return {source.name}", source.name


def test_every_script_loads_and_is_known_by_its_text() -> None:
    for name in script_names():
        script = load_script(name)
        assert (script.name, len(script.sha)) == (name, 40)


def test_libraries_come_before_those_that_need_them_and_once() -> None:
    known = {each.name: each for each in (library("keys"), library("line", "keys"), library("round", "line", "keys"))}
    text = assemble(Source.of("take", f"{SAYS}-- needs: round keys\nreturn 1\n"), known).text
    places = [text.index(f"local {name} = (function()") for name in ("keys", "line", "round")]
    assert places == sorted(places)
    assert text.count("(function()") == 3


def test_a_file_that_does_not_say_what_it_does_is_refused() -> None:
    with pytest.raises(ScriptError, match=r"take\.lua does not begin"):
        Source.of("take", "return 1\n")


def test_a_library_that_is_not_there_is_named() -> None:
    with pytest.raises(ScriptError, match=r"take\.lua needs clok"):
        assemble(Source.of("take", f"{SAYS}-- needs: clok\n"), {})


def test_libraries_that_need_each_other_are_named() -> None:
    known = {each.name: each for each in (library("line", "round"), library("round", "line"))}
    with pytest.raises(ScriptError, match="line > round > line"):
        assemble(Source.of("take", f"{SAYS}-- needs: line\n"), known)


def test_needs_below_the_first_comment_are_not_read() -> None:
    assert Source.of("take", f"{SAYS}\n-- needs: keys\nreturn 1\n").needs == ()
