"""The Lua files: each says what it does, and every script finds the libraries that it needs, in the right order."""

import pytest

from relay.store.redis.scripts import ScriptError, Source, assemble, libraries, load_script, script_names

SAYS = "-- Does something.\n"


def library(name: str, *needs: str) -> Source:
    head = f"-- needs: {' '.join(needs)}\n" if needs else ""
    asks = " or ".join(f"{each}.run()" for each in needs) or "1"
    return Source.of(name, f"{SAYS}{head}local {name} = {{}}\nfunction {name}.run() return {asks} end\nreturn {name}\n")


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
    text = assemble(Source.of("take", f"{SAYS}-- needs: round keys\nreturn round.run()\n"), known).text
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


HOST = """-- Does something.
local host = {}

-- Behind every turn.
local LAST = 9

local known = {}

local function least(n)
  return math.min(n, LAST)
end

function host.look(name)
  return known[name] or "host.save"
end

function host.save(n)
  known[n] = least(n)
end

host.read = host.look

return host
"""


def left_of(text: str, code: str) -> str:
    """What a script of this code has before it."""
    known = {"host": Source.of("host", text)}
    return assemble(Source.of("take", f"{SAYS}-- needs: host\n{code}\n"), known).text.split(SAYS)[0]


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("return 1", set()),
        ("return host.look(1)", {"known", "host.look"}),
        ("return host.look({ host = 1 })", {"known", "host.look"}),
        ("return host.read(1) -- host.save(1)", {"known", "host.look", "host.read"}),
        ("return host.save(1)", {"known", "LAST", "least", "host.save"}),
        ("return host[ARGV[1]](1)", {"known", "LAST", "least", "host.look", "host.save", "host.read"}),
    ],
)
def test_a_script_has_before_it_what_it_reaches_and_no_more(code: str, names: set[str]) -> None:
    text = left_of(HOST, code)
    assert {name for name in ("known", "LAST", "least") if f" {name}" in text.replace("= {}", "").split("(n)")[0]} | {
        name for name in ("host.look", "host.save", "host.read") if f"function {name}" in text or f"{name} =" in text
    } == names


def test_what_is_no_definition_stays() -> None:
    text = left_of(HOST.replace("host.read = host.look", "for n = 1, 3 do host.save(n) end"), "return host.look(1)")
    assert "for n = 1, 3 do host.save(n) end\n" in text
    assert "function host.save(n)" in text


def test_a_table_has_room_for_all_of_its_names_from_the_start() -> None:
    assert "local host = { look = false, read = false }\n" in left_of(HOST, "return host.read(1)")
