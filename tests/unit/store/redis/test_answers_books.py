"""What is kept by name (facts, routing, secrets, pauses, healths) is answered on Redis as SQLite answers it."""

from collections.abc import Sequence

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.store.engine.statements import load_statements
from relay.store.redis.answers import answer
from relay.store.redis.ledger import RedisLedger
from tests.fakes.redisrows import RedisRows
from tests.unit.store.redis.side import Sides, rows_of, tables_of

KEYS = (b"key-1", b"key-2")
SEALED = st.sampled_from([KEYS[0] + b"a", KEYS[0] + b"b", KEYS[1] + b"a", b"kee"])
NAMES = st.sampled_from(["a", "b", "c", "à", "Z"])
ACCOUNTS = st.integers(1, 4)

LEFT_OUT = {
    "store": {
        "has_tables", "get_clock", "set_clock", "last_ids", "add_account", "add_mailbox", "last_body", "get_segments",
        "add_live", "oldest_body", "bodies_from", "drop_segment",
    },
    "history": {"count_ready", "count_stalled"},
}  # fmt: skip
"""What SQLite alone asks: of its clock, its ids and segments, and of counts that it keeps in memory."""


@pytest.mark.parametrize(
    "file", ["store", "routing", "control", "history", "secrets", "keys", "reading", "particulars", "pruning"]
)
def test_every_statement_has_an_answer_but_for_what_sqlite_alone_asks(file: str) -> None:
    missing = set()
    for name in load_statements(file):
        try:
            answer(f"{file}.{name}")
        except LookupError:
            missing.add(name)
    assert missing == LEFT_OUT.get(file, set())


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    rows=tables_of("secrets", name=NAMES, sealed=SEALED),
    mine=tables_of("secrets", 3, name=NAMES, sealed=SEALED),
    name=NAMES,
    most=st.integers(0, 3),
)
def test_secrets(rows, mine, name, most) -> None:
    both = Sides()
    both.put("secrets", *rows)
    for row in mine:
        both.wrote("secrets.set_secret", (row["name"], row["sealed"], row["changed_at"]), tables=["secrets"])
    both.wrote("secrets.drop_secret", (name,), tables=["secrets"])
    both.same("secrets.all_secrets")
    both.same("secrets.secret_names")
    for each in ("a", "b", name):
        both.same("secrets.secret", (each,))
        both.same("secrets.secrets_after", (each, most))
    for key in (*KEYS, b"kee"):
        both.same("secrets.secret_under", (key,))
    both.commit()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    accounts=tables_of("accounts", id=ACCOUNTS, sender=NAMES, key=lambda row: row["id"]).filter(
        lambda rows: len({row["sender"] for row in rows}) == len(rows)
    ),
    rows=tables_of("paused_accounts", account=ACCOUNTS),
    mine=st.lists(rows_of("paused_accounts", account=ACCOUNTS), max_size=3),
    gone=ACCOUNTS,
)
def test_pauses(accounts, rows, mine, gone) -> None:
    both = Sides()
    both.put("accounts", *accounts)
    both.put("paused_accounts", *rows)
    for row in mine:
        both.wrote("control.pause_account", (row["account"], row["since"], row["why"]), tables=["paused_accounts"])
    both.wrote("control.resume_account", (gone,), tables=["paused_accounts"])
    both.same("control.paused_accounts", is_ordered=False)
    for number in (1, 9):
        both.same("store.sender_of", (number,))
    for name in "abx":
        both.same("store.find_account", (name,))
    both.commit()


PRINTS = rows_of(
    "fingerprints",
    provider=NAMES,
    username=NAMES,
    fingerprint=st.sampled_from([None, "x"]),
    since=st.sampled_from([None, 3]),
)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    senders=st.lists(NAMES, unique=True, max_size=4),
    mine=st.lists(rows_of("routed_accounts", sender=NAMES, body=SEALED), max_size=4),
    prints=st.lists(PRINTS, max_size=5, unique_by=lambda row: (row["provider"], row["username"])),
    printed=st.lists(PRINTS, max_size=4),
    gone=NAMES,
    is_anew=st.booleans(),
)
def test_the_routing(senders, mine, prints, printed, gone, is_anew) -> None:
    both = Sides()
    both.put("routed_accounts", *({"id": at, "sender": each, "body": b"old"} for at, each in enumerate(senders, 1)))
    both.put("fingerprints", *prints)
    both.same("routing.get_routing")
    both.same("keys.routing_under", (KEYS[0],))
    assert both.wrote("keys.reseal_routing", (b"again",), tables=["routing"]) == 0
    if is_anew:
        both.wrote("routing.drop_accounts", tables=["routed_accounts"])
        both.wrote("routing.drop_fingerprints", tables=["fingerprints"])
    for row in mine:
        both.ledger.write(load_statements("routing")["set_account"], (row["sender"], row["body"]))
        both.sqlite.write(load_statements("routing")["set_account"], (row["sender"], row["body"]))
    both.same("routing.get_accounts")
    both.wrote("routing.drop_account", (gone,), tables=[])
    both.same("routing.get_accounts")
    for row in printed:
        cells = (row["provider"], row["username"], row["fingerprint"])
        both.wrote("routing.set_fingerprint", cells, tables=["fingerprints"])
    both.wrote("routing.date_fingerprints", (7,), tables=["fingerprints"])
    both.wrote("routing.drop_fingerprint", (gone, "a"), tables=["fingerprints"])
    both.same("routing.get_fingerprints")
    for key in KEYS:
        both.same("keys.account_under", (key,))
    both.wrote("routing.set_routing", (4, KEYS[1] + b"head"), tables=["routing"])
    both.same("routing.get_routing")
    both.same("keys.routing_under", (KEYS[1],))
    both.wrote("keys.reseal_routing", (KEYS[0] + b"head",), tables=["routing"])
    both.wrote("routing.set_routing", (5, KEYS[1] + b"next"), tables=["routing"])


@settings(max_examples=20, deadline=None, derandomize=True)
@given(senders=st.lists(NAMES, unique=True, max_size=5), after=st.integers(0, 5), most=st.integers(0, 3), at=ACCOUNTS)
def test_accounts_are_sealed_anew_some_at_a_time(senders, after, most, at) -> None:
    both = Sides()
    both.put("routed_accounts", *({"id": at, "sender": each, "body": b"old"} for at, each in enumerate(senders, 1)))
    both.wrote("keys.reseal_account", (b"fresh", at), tables=["routed_accounts"])
    both.same("keys.accounts_after", (after, most))
    both.commit()


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    rows=tables_of("outbox", 5, id=st.integers(1, 5), envelope=SEALED, lost=st.integers(0, 1)),
    gone=st.integers(1, 5),
)
def test_what_a_key_sealed_in_the_outbox(rows, gone) -> None:
    both = Sides()
    both.put("outbox", *rows)
    both.drop("outbox", gone)
    for key in KEYS:
        both.same("keys.owed_under", (key,))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    mailboxes=tables_of(
        "mailboxes", 5, id=ACCOUNTS, provider=NAMES, username=NAMES, health=st.sampled_from([None, "{}"])
    ),
    at=ACCOUNTS,
    providers=tables_of("providers", 3, name=NAMES, health=st.sampled_from([None, "{}"])),
    name=NAMES,
)
def test_facts_and_healths(mailboxes, at, providers, name) -> None:
    both = Sides()
    places = {(row["provider"], row["username"]): row for row in mailboxes}
    both.put("mailboxes", *places.values())
    both.put("providers", *providers)
    both.wrote("store.set_mailbox_health", ('{"a": 1}', at), tables=["mailboxes"])
    both.same("store.known_healths", is_ordered=False)
    both.wrote("store.set_provider_health", (name, "{1}"), tables=["providers"])
    for each in ("a", name):
        both.same("store.provider_health", (each,))
        both.same("store.find_mailbox", (each, "a"))
    both.same("store.mailbox_of", (at,))
    both.wrote("store.set_meta", (name, "1"), tables=["meta"])
    both.wrote("store.set_meta", (name, "2"), tables=["meta"])
    for each in ("a", name):
        both.same("store.get_meta", (each,))
    both.commit()


class Counted(RedisRows):
    """Remembers how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def hget(self, key: str, name: str, /) -> bytes | None:
        self.asked += 1
        return super().hget(key, name)

    def hmget(self, key: str, names: Sequence[str], /) -> list[bytes | None]:
        self.asked += 1
        return super().hmget(key, names)

    def incr(self, key: str, many: int = 1, /) -> int:
        self.asked += 1
        return super().incr(key, many)


def test_a_routing_of_many_accounts_is_written_in_few_round_trips() -> None:
    both = Sides()
    both.redis = counted = Counted()
    both.ledger = RedisLedger(counted, answer)
    statements = load_statements("routing")
    both.put("routed_accounts", {"id": 1, "sender": "s7@x", "body": b"old"})
    accounts = [(f"s{number}@x", b"new") for number in range(1000)]
    prints = [("p", f"u{number}", "print") for number in range(1000)]
    counted.asked = 0
    for side in (both.sqlite, both.ledger):
        side.write_many(statements["set_account"], [*accounts, accounts[3]])
        side.write_many(statements["set_fingerprint"], [*prints, prints[3]])
    assert counted.asked < 10
    both.same("routing.get_accounts")
    both.same("routing.get_fingerprints")
    both.redis.commit(both.ledger)
    assert both.ledger.group("routed_accounts", "senders", "s7@x") == [1]


def test_an_event_is_written_with_the_operation_in_the_order_of_its_columns() -> None:
    both = Sides()
    events = [(17, "accepted", 3, 4, 1, None, None), (18, "bounced", 3, 4, 1, 2, "expired"), (19, "x", *[None] * 5)]
    add = load_statements("store")["add_event"]
    for event in events:
        assert both.ledger.write(add, event) == 1
    unpacked = [msgpack.unpackb(each, strict_map_key=False) for each in both.ledger.intended.events]
    assert unpacked == [[False if cell is None else cell for cell in event] for event in events]
