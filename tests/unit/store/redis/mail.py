"""Random mail as a store has it: messages with their deliveries, numbered one after the other."""

from typing import Any

from hypothesis import strategies as st

from tests.unit.store.redis.side import Sides, rows_of

Named = dict[str, Any]
Mail = list[tuple[Named, list[Named]]]

ACCOUNTS = (1, 2)
MAILBOXES = (1, 2)
HASHES = (b"12345678one", b"12345678two", b"other hash")

_MESSAGE = rows_of(
    "messages",
    seq=st.none(),
    id=st.none(),
    account=st.sampled_from(ACCOUNTS),
    accepted_at=st.integers(0, 2),
    recipients=st.integers(1, 3),
    message_id_hash=st.sampled_from(HASHES),
    is_dated=st.integers(0, 1),
)
_DELIVERY = rows_of(
    "deliveries",
    id=st.none(),
    message=st.none(),
    account=st.none(),
    lane=st.integers(0, 1),
    state=st.integers(0, 4),
    due=st.sampled_from([0, 0, 5, 9]),
    expires_at=st.integers(4, 10),
    since=st.integers(0, 12),
    reason=st.sampled_from([None, "limit", "corrupt"]),
    reply=st.none(),
)


@st.composite
def mails(draw: st.DrawFn, most: int = 6, first: int | None = None) -> Mail:
    """Messages in the order in which they came in."""
    found: Mail = []
    seq, at = draw(st.integers(1, 40)) if first is None else first, 0
    for row in draw(st.lists(_MESSAGE, max_size=most)):
        at += row["accepted_at"]
        message = {**row, "seq": seq, "id": f"m{seq}", "accepted_at": at}
        ids = range(seq, seq + row["recipients"])
        deliveries = [{**draw(_DELIVERY), "id": number, "message": seq, "account": row["account"]} for number in ids]
        found.append((message, deliveries))
        seq = ids.stop + draw(st.sampled_from([0, 0, 0, 2, 30]))
    return found


def put(both: Sides, mail: Mail) -> None:
    """Mail that is there."""
    both.put("messages", *(message for message, _ in mail))
    both.put("deliveries", *(each for _, deliveries in mail for each in deliveries))


def own(both: Sides, mail: Mail) -> None:
    """Mail that the operation at hand writes."""
    both.own("messages", *(message for message, _ in mail))
    both.own("deliveries", *(each for _, deliveries in mail for each in deliveries))


def changed(both: Sides, mail: Mail, states: list[int]) -> None:
    """Deliveries that the operation at hand changes: each to a state, or not at all (5)."""
    deliveries = [each for _, deliveries in mail for each in deliveries]
    both.own(
        "deliveries",
        *({**each, "state": state} for each, state in zip(deliveries, states, strict=False) if state < 5),
    )


def named(both: Sides) -> None:
    """The accounts and mailboxes that there are."""
    both.put("accounts", *({"id": number, "sender": f"a{number}@x"} for number in ACCOUNTS))
    both.put("mailboxes", *({"id": number, "provider": "p", "username": f"u{number}"} for number in MAILBOXES))


def attempts(most: int = 12) -> st.SearchStrategy[list[Named]]:
    """Attempts that ended, numbered."""
    row = rows_of(
        "attempts",
        id=st.none(),
        delivery=st.integers(0, 4),
        mailbox=st.sampled_from(MAILBOXES),
        counted=st.integers(0, 1),
        ended_at=st.integers(3, 5),
        reply=st.sampled_from([None, "250 ok"]),
        said=st.sampled_from([None, b"key1 said", b"key2 said"]),
    )
    return st.lists(row, max_size=most).map(lambda rows: [{**row, "id": 7 + at} for at, row in enumerate(rows)])
