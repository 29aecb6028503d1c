"""Messages and accounts over HTTP: shapes, pages, filters, and what is said to a wrong question."""

import asyncio

import pytest

from relay.admin import Access, asking
from relay.admin.writing import PIECE
from relay.core.remedy import Needs
from relay.core.words import Plan
from relay.errors import CorruptValue, StoreUnavailable
from relay.store.ports.reading import AccountQuery, MessageQuery
from tests.fakes.reading import MINUTE, NOON, account, attempt, delivery, message
from tests.unit.admin.relay_app import TOKEN, Relay


@pytest.fixture
def relay():
    return Relay()


# messages


async def test_a_message_has_the_shape_of_the_interface(relay):
    held = delivery(
        state="held", reason="auth-rejected", needs=Needs.OWNER, eta=None, attempts=(attempt(), attempt(ended_at=None))
    )
    relay.reading.of_messages = [message(deliveries=(delivery(), held))]
    answer = await relay.ask("/api/v1/messages/aa11")
    assert answer.status_code == 200
    assert answer.json() == {
        "id": "aa11",
        "account": "anna@d.test",
        "client": "studio",
        "state": "waiting",
        "accepted_at": "2026-11-22T12:00:00.000000Z",
        "size": 4321,
        "dated": False,
        "deliveries": [
            {
                "recipient": {"hash": "00ff" * 8, "domain": "example.org"},
                "state": "waiting",
                "lane": "bulk",
                "reason": "limit",
                "since": "2026-11-22T12:00:00.000000Z",
                "needs": None,
                "eta": "2026-11-22T12:12:00.000000Z",
                "bounces_at": None,
                "attempts": [],
            },
            {
                "recipient": {"hash": "00ff" * 8, "domain": "example.org"},
                "state": "held",
                "lane": "bulk",
                "reason": "auth-rejected",
                "since": "2026-11-22T12:00:00.000000Z",
                "needs": "owner",
                "eta": None,
                "bounces_at": None,
                "attempts": [
                    {
                        "started_at": "2026-11-22T12:00:00.000000Z",
                        "ended_at": "2026-11-22T12:00:00.500000Z",
                        "stage": "rcpt",
                        "class": "greylisted",
                        "reply": "450 4.2.0 <…@example.org> greylisted",
                    },
                    {
                        "started_at": "2026-11-22T12:00:00.000000Z",
                        "ended_at": None,
                        "stage": "rcpt",
                        "class": "greylisted",
                        "reply": "450 4.2.0 <…@example.org> greylisted",
                    },
                ],
            },
        ],
    }


async def test_a_list_is_walked_page_by_page_to_its_end(relay):
    relay.reading.of_messages = [message(f"m{number}") for number in range(5)]
    seen: list[list[str]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await relay.ask(f"/api/v1/messages?limit=2&cursor={cursor}")).json()
        assert set(page) == {"items", "next_cursor"}
        seen.append([each["id"] for each in page["items"]])
        cursor = page["next_cursor"]
    assert seen == [["m0", "m1"], ["m2", "m3"], ["m4"]]


async def test_the_filters_reach_the_store(relay):
    await relay.ask("/api/v1/messages?state=held&state=waiting&account=Anna@D.test&message_id=%3Ca%40b%3E&limit=7")
    assert relay.reading.asked == [
        MessageQuery(frozenset({"held", "waiting"}), "anna@d.test", "<a@b>", limit=7, cursor=None)
    ]


async def test_a_filter_left_blank_asks_for_nothing_in_particular(relay):
    assert (await relay.ask("/api/v1/messages?state=&account=&message_id=&limit=&cursor=")).status_code == 200
    assert (await relay.ask("/api/v1/accounts?health=&plan=&queued=&limit=&cursor=")).status_code == 200
    assert relay.reading.asked == [MessageQuery(), AccountQuery()]


async def test_what_there_is_none_of_is_404(relay):
    for path in ("/api/v1/messages/zz99", "/api/v1/accounts/nobody@d.test"):
        answer = await relay.ask(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"].startswith("there is no ")


# accounts


async def test_an_account_has_the_shape_of_the_interface(relay):
    relay.clerk.has = Access(steps={"auth-rejected": "Cambi la password."})
    relay.reading.of_accounts = [account(health="paused", reason="auth-rejected", since=NOON, needs=Needs.OWNER)]
    assert (await relay.ask("/api/v1/accounts/ANNA@d.test")).json() == {
        "sender": "anna@d.test",
        "plan": "personal",
        "provider": "lab",
        "mailbox": "anna@d.test",
        "health": "paused",
        "reason": "auth-rejected",
        "since": "2026-11-22T12:00:00.000000Z",
        "eta": "2026-11-22T12:12:00.000000Z",
        "needs": "owner",
        "queued": 3,
        "limits": [{"limit": "20/10m", "used": 20, "most": 20}],
        "owner": None,
        "retires": None,
        "paid_until": None,
        "paused": None,
        "last_sent_at": None,
        "sent_7d": None,
        "sent_30d": None,
        "aliases": [],
        "replaces": [],
        "kept_here": False,
        "without": None,
        "contact": "",
        "steps": [{"reason": "auth-rejected", "text": "Cambi la password."}],
        "last_reply": None,
        "login_wait": None,
        "tried_at": None,
        "history": [],
    }


async def test_an_account_that_no_routing_names_any_more_is_shown_for_its_mail(relay):
    relay.reading.of_accounts = [account(plan=None, mailbox=None, eta=None, limits=())]
    shown = (await relay.ask("/api/v1/accounts/anna@d.test")).json()
    assert (shown["plan"], shown["provider"], shown["mailbox"], shown["queued"]) == (None, None, None, 3)


async def test_a_sender_may_contain_what_looks_like_a_path(relay):
    relay.reading.of_accounts = [account("a/b@d.test")]
    assert (await relay.ask("/api/v1/accounts/a%2Fb%40d.test")).json()["sender"] == "a/b@d.test"


async def test_accounts_are_found_by_health_plan_and_queue(relay):
    relay.reading.of_accounts = [
        account("a@d.test", health="paused"),
        account("b@d.test", health="paused", plan=Plan.LEGACY),
        account("c@d.test", queued=0),
    ]
    found = (await relay.ask("/api/v1/accounts?health=paused&plan=legacy")).json()
    assert [each["sender"] for each in found["items"]] == ["b@d.test"]
    found = (await relay.ask("/api/v1/accounts?queued=true")).json()
    assert [each["sender"] for each in found["items"]] == ["a@d.test", "b@d.test"]
    assert relay.reading.asked[0] == AccountQuery("paused", Plan.LEGACY, with_sent=True)


class Turns:
    """Somebody else on the loop, who counts how often he has his turn."""

    def __init__(self) -> None:
        self.count = 0

    async def take(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)


@pytest.mark.parametrize(("path", "pieces"), [("messages", 100), ("messages/m0", 10), ("accounts?limit=1000", 50)])
async def test_a_long_answer_leaves_everybody_else_his_turn(relay, path, pieces):
    many = tuple(delivery() for _ in range(PIECE * 10))
    relay.reading.of_messages = [message(f"m{number}", deliveries=many) for number in range(10)]
    relay.reading.of_accounts = [account(f"a{number}@d.test") for number in range(1000)]
    turns = Turns()
    other = asyncio.create_task(turns.take())
    assert (await relay.ask("/api/v1/status")).status_code == 200
    short, turns.count = turns.count, 0
    assert (await relay.ask(f"/api/v1/{path}")).status_code == 200
    other.cancel()
    assert turns.count >= short + pieces - 5


# wrong questions


@pytest.mark.parametrize(
    ("path", "parameter", "allowed"),
    [
        ("/api/v1/messages?state=stuck", "state", "'waiting', 'sending', 'held'"),
        ("/api/v1/messages?state=held&state=stuck", "state", "'waiting', 'sending', 'held'"),
        ("/api/v1/messages?limit=0", "limit", "greater than or equal to 1"),
        ("/api/v1/messages?limit=1001", "limit", "less than or equal to 1000"),
        ("/api/v1/messages?limit=many", "limit", "integer"),
        ("/api/v1/messages?staet=held", "staet", "limit, cursor, state, account, message_id"),
        ("/api/v1/messages?cursor=yesterday", "cursor", "is not one that a list of this relay ended with"),
        ("/api/v1/messages?account=" + "a" * 1001, "account", "at most 1000 characters"),
        ("/api/v1/accounts?health=sick", "health", "'ok', 'doubted'"),
        ("/api/v1/accounts?plan=golden", "plan", "'business', 'premium'"),
        ("/api/v1/accounts?queued=perhaps", "queued", "boolean"),
        ("/api/v1/accounts?state=held", "state", "limit, cursor, health, plan, queued"),
    ],
)
async def test_a_wrong_question_is_told_which_part_and_what_is_allowed(relay, path, parameter, allowed):
    answer = await relay.ask(path)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert [each["parameter"] for each in body["errors"]] == [parameter]
    assert allowed in body["errors"][0]["detail"]
    assert parameter in body["detail"]
    assert allowed in body["detail"]


async def test_what_was_asked_wrongly_is_not_given_back(relay):
    answer = await relay.ask("/api/v1/messages?limit=paziente%40example.org&state=paziente%40example.org")
    assert answer.status_code == 400
    assert "paziente" not in answer.text


async def test_a_parameters_name_is_given_back_short_and_printable(relay):
    answer = await relay.ask("/api/v1/messages?%1b%5b31m" + "x" * 500)
    (wrong,) = answer.json()["errors"]
    assert wrong["parameter"] == "?[31m" + "x" * 95


# a store in trouble


@pytest.mark.parametrize("path", ["messages", "messages/a", "accounts", "accounts/a", "status"])
async def test_a_store_that_is_away_is_503_and_says_when_to_ask_again(relay, path):
    relay.reading.trouble = StoreUnavailable("the store is away")
    answer = await relay.ask(f"/api/v1/{path}")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["detail"] == "the store is away"
    assert relay.failures == []


async def test_a_store_that_hangs_is_away(relay, monkeypatch):
    monkeypatch.setattr(asking.in_time, "__defaults__", (0.01,))
    relay.reading.hangs = True
    answer = await relay.ask("/api/v1/messages")
    assert answer.status_code == 503
    assert "did not answer" in answer.json()["detail"]


async def test_an_error_that_nobody_foresaw_is_500_without_its_text(relay):
    relay.reading.trouble = CorruptValue("paziente@example.org")
    answer = await relay.ask("/api/v1/messages/a")
    assert answer.status_code == 500
    assert "paziente" not in answer.text
    assert relay.failures == [relay.reading.trouble]


async def test_a_long_wait_is_written_as_it_is(relay):
    relay.reading.of_messages = [message(deliveries=(delivery(eta=NOON + 10**9 * MINUTE),))]
    assert (await relay.ask("/api/v1/messages/aa11")).json()["deliveries"][0]["eta"].startswith("3928-")
    relay.reading.of_messages = [message(deliveries=(delivery(eta=2**63),))]
    shown = (await relay.get("/api/v1/messages/aa11", token=TOKEN)).json()
    assert shown["deliveries"][0]["eta"] == "9999-12-31T23:59:59.999999Z"
