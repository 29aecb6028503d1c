"""Every reply class at every stage, driven through the real relay: state, queue, notice, metric, and the neighbour."""

from collections.abc import Iterator

import pytest

from relay.core.meaning import ReplyClass
from tests.integration.classes.stage import OPS, STRANGER, Played, healthy, ill, owner, play
from tests.integration.classes.table import OWNER, ROWS, Row

BY_ROW = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    yield from play(tmp_path_factory.mktemp("classes"), ROWS)


def test_every_class_has_a_row() -> None:
    assert {row.reply_class for row in ROWS} == {each.value for each in ReplyClass} - {"delivered"}
    assert len({row.name for row in ROWS}) == len(ROWS)


@BY_ROW
def test_the_mailbox_is_in_its_state_and_says_why(played: Played, row: Row) -> None:
    account = played.account(ill(row))
    assert account["health"] == row.follows.mailbox
    if row.follows.mailbox != "ok":
        assert account["reason"] == row.shown
        assert account["eta"] is not None or account["needs"] is not None, "a time, or somebody who has to act"


@BY_ROW
def test_the_provider_is_in_its_state_and_says_why(played: Played, row: Row) -> None:
    provider = played.provider(row.name)
    assert provider["health"] == row.follows.provider
    if row.is_of_host:
        assert provider["reason"] == row.shown


@BY_ROW
def test_the_delivery_is_where_the_class_puts_it(played: Played, row: Row) -> None:
    delivery = played.delivery(ill(row))
    assert delivery["state"] == row.follows.delivery
    assert delivery["reason"] is None or delivery["reason"] == row.shown
    if delivery["state"] in ("waiting", "held"):
        assert delivery["eta"] is not None or delivery["needs"] is not None, "nothing stops silently"


@BY_ROW
def test_who_can_mend_it_is_told_and_nobody_else(played: Played, row: Row) -> None:
    told = None if row.is_told_later else row.follows.told
    if told is OWNER:
        played.providers.wait_for("vendor", "delivered", rcpt=owner(row))
    assert bool(played.letters(owner(row))) == (told is OWNER)


def test_ops_are_told_of_what_is_theirs(played: Played) -> None:
    played.providers.wait_for("vendor", "delivered", rcpt=OPS)


@BY_ROW
def test_it_is_counted(played: Played, row: Row) -> None:
    if row.stage in ("connect", "ehlo", "auth"):
        series = f'relay_upstream_logins_total{{provider="{row.name}",result="%s"}}'
        counts = [played.relay.metric(series % result) for result in ("rejected", "deferred")]
        assert sum(filter(None, counts)) >= 1
    else:
        counted = played.relay.metric(f'relay_attempts_total{{class="{row.reply_class}",provider="{row.name}"}}')
        assert counted is not None
        assert counted >= 1


@BY_ROW
def test_the_innocent_neighbour_is_served(played: Played, row: Row) -> None:
    if row.is_of_host:
        return  # whoever is at that provider waits with it; a stranger is looked at below
    played.providers.wait_for(row.name, "delivered", user=healthy(row))
    account = played.account(healthy(row))
    assert (account["health"], account["queued"]) == ("ok", 0)


def test_an_innocent_at_another_provider_is_served(played: Played) -> None:
    played.providers.wait_for("vendor", "delivered", user=STRANGER)


@BY_ROW
def test_who_is_refused_is_not_asked_again_at_once(played: Played, row: Row) -> None:
    """One try, or for what is no failure two: retries are paced by the mailbox."""
    log = [record for record in played.providers.log(row.name) if record["user"] in (ill(row), None)]
    tries = [record for record in log if record["stage"] == row.stage and record["event"] in ("refused", row.stage)]
    assert len(tries) <= 3
