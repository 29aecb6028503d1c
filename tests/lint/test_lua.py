"""Lua files are clean: nothing unused, no global but those of Redis, no library but those asked for; they compile."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from relay.store.redis import scripts
from relay.store.redis.scripts import Source, assemble, libraries, load_script, script_names
from tests.fakes.redisservers import FAST, NAMES, Server, binary, server

LUA = Path(scripts.__file__).parents[1] / "lua"
FILES = sorted(LUA.rglob("*.lua"))
GIVEN = ("redis", "cmsgpack", "cjson", "KEYS", "ARGV")
"""What Redis brings beside Lua 5.1."""
LONGEST = 120
IN_LIBRARIES = re.compile(r"\b([a-z_]+)\.[a-z_A-Z]+")


def source(path: Path) -> Source:
    return Source.of(path.stem, path.read_text())


def warnings(text: str, known: tuple[str, ...]) -> str:
    """What luacheck says of a file that may use these libraries."""
    command = [
        shutil.which("luacheck") or "luacheck", "-", "--no-color", "--codes", "--formatter", "plain", "--no-config",
        "--std", "lua51", "--max-line-length", str(LONGEST), "--read-globals", *GIVEN, *known,
    ]  # fmt: skip
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False).stdout


@pytest.mark.needs("luacheck")
@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(LUA)))
def test_a_file_is_clean(path: Path) -> None:
    assert warnings(path.read_text(), source(path).needs) == ""


@pytest.mark.needs("luacheck")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("total = 1\n", "W111"),
        ("return rows.write({})\n", "W113"),
        ("local kept = 1\n", "W211"),
        ("redis.call('SET', 'a' 'b')\n", "E011"),
    ],
)
def test_what_is_not_clean_is_found(text: str, found: str) -> None:
    assert found in warnings(text, ())


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(LUA)))
def test_a_file_asks_for_no_library_that_it_does_not_use(path: Path) -> None:
    made = source(path)
    code = "\n".join(line.split("--")[0] for line in made.text.splitlines())
    assert set(made.needs) - set(IN_LIBRARIES.findall(code)) == set()


def test_a_library_is_needed_by_somebody() -> None:
    placed = {each for path in FILES for each in source(path).needs}
    assert placed == set(libraries())


@pytest.mark.parametrize("program", NAMES)
def test_each_script_compiles_with_its_libraries(program: str) -> None:
    with server(binary(program), *FAST) as started:
        for name in script_names():
            assert loaded(started, load_script(name).text) == load_script(name).sha
        many = Source.of("many", "-- Has too much.\n" + "".join(f"local a{n} = {n}\n" for n in range(201)))
        with pytest.raises(Exception, match="more than 200 local variables"):
            loaded(started, assemble(many, libraries()).text)


def loaded(started: Server, text: str) -> str:
    with started.client() as client:
        return str(client.script_load(text))
