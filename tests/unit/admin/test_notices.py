"""What somebody has to know of, and what the webhook never took, over HTTP."""

import pytest

from relay.core.concerns import Concern, ConcernKind, Subject
from relay.core.notice import Notice, NoticeType
from relay.core.notice_json import write_notice
from relay.core.words import MailboxId
from relay.store.ports.notices import DeadLetter
from tests.fakes.reading import MINUTE, NOON
from tests.unit.admin.openapi_check import Document
from tests.unit.admin.relay_app import Relay

ANNA = "anna@d.test"
OUTAGE = Concern(9, ConcernKind.AUTH_OUTAGE, Subject(provider="libero"), None, NOON)
PASSWORD = Concern(
    4,
    ConcernKind.MAILBOX_STOPPED,
    Subject(mailbox=MailboxId("lab", ANNA)),
    "auth-rejected",
    NOON,
    told_at=NOON + MINUTE,
)
NOTICE = Notice("c4-1-1", NoticeType.STOPPED, NOON, "lab", ANNA, (ANNA,), "auth-rejected")
LETTER = DeadLetter(7, write_notice(NOTICE), 10, "status-500", NOON)


@pytest.fixture
def relay() -> Relay:
    relay = Relay()
    relay.notices.open = [OUTAGE, PASSWORD]
    relay.notices.next_at = {9: NOON + 10 * MINUTE}
    relay.notices.dead = [LETTER, DeadLetter(3, "{}", 1, "unreadable", NOON)]
    return relay


async def test_what_is_open_is_listed_with_whom_it_is_about_and_when_somebody_was_told(relay: Relay) -> None:
    assert (await relay.ask("/api/v1/notices")).json() == {
        "items": [
            {
                "id": 9,
                "kind": "auth-outage",
                "subject": {"provider": "libero", "mailbox": None, "account": None},
                "reason": None,
                "since": "2026-11-22T12:00:00.000000Z",
                "told_at": None,
                "next_at": "2026-11-22T12:10:00.000000Z",
            },
            {
                "id": 4,
                "kind": "mailbox-stopped",
                "subject": {"provider": "lab", "mailbox": ANNA, "account": None},
                "reason": "auth-rejected",
                "since": "2026-11-22T12:00:00.000000Z",
                "told_at": "2026-11-22T12:01:00.000000Z",
                "next_at": None,
            },
        ],
        "next_cursor": None,
    }


async def test_dead_letters_are_listed_and_sent_once_more(relay: Relay) -> None:
    relay.notices.unposted = 2
    answer = (await relay.ask("/api/v1/notices/dead")).json()
    found = answer["items"]
    assert answer["waiting"] == 2
    assert [(each["id"], each["type"], each["error"], each["tries"]) for each in found] == [
        (7, "mailbox.stopped", "status-500", 10),
        (3, None, "unreadable", 1),
    ]
    assert found[0]["subject"] == {"provider": "lab", "mailbox": ANNA, "account": ANNA}
    assert (await relay.order("/api/v1/notices/dead/7/retry", None)).json() == {"id": 7}
    again = await relay.order("/api/v1/notices/dead/7/retry", None)
    assert (again.status_code, again.json()["detail"]) == (404, "no notice 7 was given up: it was sent, or never was")
    assert relay.notices.revived == [7]


@pytest.mark.parametrize("path", ["/api/v1/notices", "/api/v1/notices/dead"])
async def test_a_list_goes_on_where_the_page_before_ended(relay: Relay, path: str) -> None:
    first = (await relay.ask(f"{path}?limit=1")).json()
    second = (await relay.ask(f"{path}?limit=1&cursor={first['next_cursor']}")).json()
    assert [each["id"] for each in first["items"] + second["items"]] in ([9, 4], [7, 3])
    assert second["next_cursor"] is None
    assert (await relay.ask(f"{path}?cursor=nonsense")).status_code == 400


async def test_what_is_answered_is_what_is_described(relay: Relay) -> None:
    document = Document((await relay.ask("/api/v1/openapi.json")).json())
    for path in ("/api/v1/notices", "/api/v1/notices/dead"):
        assert document.complaints(path, await relay.ask(path)) == []
    for ident in (7, 8):
        answer = await relay.order(f"/api/v1/notices/dead/{ident}/retry", None)
        assert document.complaints("/api/v1/notices/dead/{id}/retry", answer) == []
