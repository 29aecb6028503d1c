"""What providers said in their own words: for who has the token, one message at a time, and each time written down."""

import pytest

from relay.core.words import Stage
from relay.store.ports.riddles import SaidVerbatim
from tests.fakes.reading import NOON, account, message
from tests.unit.admin.relay_app import Relay

SAID = SaidVerbatim(NOON, "example.org", Stage.EOD, "spam-blocked", "554 5.7.1 spam to p@example.org")
PLACE = "/api/v1/messages/aa11/unmasked"


@pytest.fixture
def relay():
    relay = Relay()
    relay.reading.of_messages, relay.reading.of_accounts = [message()], [account()]
    relay.riddles.verbatim["aa11"] = [SAID]
    return relay


async def test_it_is_shown_to_who_has_the_token_and_that_is_told(relay):
    answer = await relay.ask(PLACE)
    assert answer.status_code == 200
    (said,) = answer.json()["replies"]
    assert (said["domain"], said["stage"], said["class"]) == ("example.org", "eod", "spam-blocked")
    assert said["reply"] == "554 5.7.1 spam to p@example.org"
    assert relay.unmasked == [("aa11", "anna@d.test", "admin")]


async def test_without_the_token_nobody_reads_it(relay):
    assert (await relay.get(PLACE)).status_code == 401
    assert relay.unmasked == []


async def test_of_a_message_that_is_not_there_nothing_is_read(relay):
    relay.reading.of_messages = []
    assert (await relay.ask(PLACE)).status_code == 404
    assert relay.unmasked == []


async def test_the_message_itself_shows_none_of_it(relay):
    assert "p@example.org" not in (await relay.ask("/api/v1/messages/aa11")).text
    assert relay.unmasked == []
