"""The names of keys: Lua and Python make the same ones, each in two files, and no other file makes any."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relay.core.words import AccountId, Lane, MailboxId
from relay.store.redis import keys, rowkeys
from relay.store.redis.scripts import Source, assemble, libraries
from relay.store.redis.tables import key_of
from tests.fakes.redisservers import Server, binary, server

STORE = Path(rowkeys.__file__).parents[1]
MAKERS = {STORE / "redis" / "keys.py", STORE / "redis" / "rowkeys.py"}
MAKERS |= {STORE / "lua" / "lib" / "keys.lua", STORE / "lua" / "lib" / "rowkeys.lua"}

NODE, LONG = "node-1", MailboxId("p", "mario:rossi@studio.test")

CONSTANTS = {
    "keys": ("ROUND", "ALARMS", "WANTED", "BUSY", "RESTING", "CLOCK"),
    "rowkeys": (
        "META", "STATE", "EVENTS", "PENDING", "BELL", "DONE", "PEN_FREE", "OWED", "USED", "LEASES", "LAPSED", "OWNERS",
        "NODES", "NODES_SEEN", "NOTHING",
    ),
}  # fmt: skip

MADE: dict[str, tuple[str, str]] = {
    "of": ('keys.of("p", "ends")', keys.of_provider("p", "ends")),
    "at": (f'keys.at("p", "ends", "{LONG.username}")', keys.of_mailbox(LONG, "ends")),
    "mailbox": (f'keys.mailbox("p", "{LONG.username}")', keys.member(LONG)),
    "ready": (
        f'keys.ready("p", "{LONG.username}", "a@x", "bulk")', keys.ready(LONG, AccountId("a@x"), Lane.BULK),
    ),
    "unrouted": ('keys.ready(nil, nil, "a@x", "express")', keys.ready(None, AccountId("a@x"), Lane.EXPRESS)),
    "table": ('rowkeys.table("claims")', rowkeys.table_key("claims")),
    "index": ('rowkeys.index("deliveries", "due")', rowkeys.index_key("deliveries", "due", ())),
    "index of": ('rowkeys.index("messages", "m", 12, "é,1")', rowkeys.index_key("messages", "m", (12, "é,1"))),
    "group": ('rowkeys.group("claims", "holders")', rowkeys.group_key("claims", "holders")),
    "number": ('rowkeys.number("attempts")', rowkeys.number_key("attempts")),
    "body": ("rowkeys.body(10^15)", rowkeys.body_key(10**15)),
    "recent": ('rowkeys.recent("c", "a:b")', rowkeys.recent_key("c", "a:b")),
    "several": ('rowkeys.of("p", "é")', key_of("p", "é")),
    "taken": (f'rowkeys.taken("{NODE}")', rowkeys.taken_key(NODE)),
    "held": (f'rowkeys.held("{NODE}")', rowkeys.held_key(NODE)),
    "lost": (f'rowkeys.lost("{NODE}")', rowkeys.lost_key(NODE)),
    "owned": (f'rowkeys.owned("{NODE}")', rowkeys.owned_key(NODE)),
    "staged": (f'rowkeys.staged("{rowkeys.OWED}")', rowkeys.staged_key(rowkeys.OWED)),
    "feed": ('rowkeys.feed("meta")', rowkeys.feed_key("meta")),
}  # fmt: skip
"""What Lua makes of it, and what Python does."""

WRITTEN = re.compile(r"relay:\{\{?[a-z]")
"""A key as source files write it, also in an f-string of Python."""


@pytest.fixture(scope="module")
def started() -> Iterator[Server]:
    with server(binary("redis-7"), is_durable=False) as found:
        yield found


def run(started: Server, expressions: list[str]) -> list[str]:
    """What Lua says, with the libraries of names before it."""
    text = "-- Says names.\n-- needs: keys rowkeys\nreturn cjson.encode({ " + ", ".join(expressions) + " })\n"
    with started.client() as client:
        answer: Any = client.eval(assemble(Source.of("names", text), libraries()).text, 0)
    found: list[str] = json.loads(answer)
    return found


def test_lua_and_python_make_the_same_names(started: Server) -> None:
    made = run(started, [lua for lua, _ in MADE.values()])
    assert dict(zip(MADE, made, strict=True)) == {name: python for name, (_, python) in MADE.items()}
    for module, names in CONSTANTS.items():
        python = [getattr({"keys": keys, "rowkeys": rowkeys}[module], name) for name in names]
        assert run(started, [f"{module}.{name}" for name in names]) == python


def test_every_name_of_either_side_is_compared() -> None:
    for module, names in CONSTANTS.items():
        text = (STORE / "lua" / "lib" / f"{module}.lua").read_text()
        assert set(re.findall(rf"^{module}\.([A-Z_]+) =", text, re.MULTILINE)) == set(names)
        functions = set(re.findall(rf"^function {module}\.([a-z]+)\(", text, re.MULTILINE)) - {"parted"}
        assert functions == {lua.split("(")[0].split(".")[1] for lua, _ in MADE.values() if lua.startswith(module)}


def test_no_other_file_makes_a_key() -> None:
    files = {path for kind in ("*.py", "*.lua") for path in STORE.rglob(kind)} - MAKERS
    assert sorted(path.name for path in files if WRITTEN.search(path.read_text())) == []
