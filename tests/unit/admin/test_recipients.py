"""Recipients that get many mails a day, over HTTP."""

import pytest

from tests.unit.admin.relay_app import Relay


async def test_who_gets_many_is_listed_by_hash_and_domain() -> None:
    relay = Relay()
    assert (await relay.ask("/api/v1/recipients?account=Anna@d.test&least=20&limit=5")).json() == {
        "items": [
            {
                "account": "anna@d.test",
                "recipient": {"hash": "00ff" * 4, "domain": "example.org"},
                "day": "2026-11-22",
                "messages": 31,
            }
        ],
        "next_cursor": None,
    }
    assert relay.recipients.asked == [("Anna@d.test", 20, 5)]


@pytest.mark.parametrize("question", ["least=0", "least=x", "limit=0", "nonsense=1"])
async def test_what_is_not_understood_is_said(question: str) -> None:
    assert (await Relay().ask(f"/api/v1/recipients?{question}")).status_code == 400
