"""Every reply class at every stage, driven through the real relay: state, queue, notice, metric, and the neighbour."""

from collections.abc import Iterator

import pytest

from relay.core.meaning import ReplyClass
from relay.core.words import Stage
from tests.integration.classes.stage import PATIENT, POSTMASTER, STRANGER, THEIRS, Played, healthy, ill, owner, play
from tests.integration.classes.table import OPS, OWNER, ROWS, VENDOR, Follows, Row

BY_ROW = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
OF_OPS = [row for row in ROWS if OPS in row.notices.values()]
"""Played once more without a webhook: then ops are told by mail."""

SUBJECTS = {
    "mailbox.stopped": "The mail of {sender} does not leave",
    "mailbox.spam_blocked": "{provider} takes mail of {sender} for spam",
    "provider.stopped": "{provider} cannot be used",
    "reply.unknown": "A reply of {provider} that no rule knows",
}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    yield from play(tmp_path_factory.mktemp("classes"), ROWS, has_webhook=True)


@pytest.fixture(scope="module")
def without_webhook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    yield from play(tmp_path_factory.mktemp("mail-only"), OF_OPS, has_webhook=False)


def subjects(row: Row, *readers: str) -> list[str]:
    """Of the letters about a row that these readers get."""
    kinds = [kind for kind, reader in row.notices.items() if reader in readers]
    return sorted(SUBJECTS[kind].format(provider=row.name, sender=ill(row)) for kind in kinds)


def test_every_class_has_a_row_and_so_has_every_stage() -> None:
    assert {row.reply_class for row in ROWS} == {each.value for each in ReplyClass} - {"delivered"}
    assert {row.stage for row in ROWS} == {each.value for each in Stage}
    assert len({row.name for row in ROWS}) == len(ROWS)


@BY_ROW
def test_the_mailbox_is_in_its_state_and_says_why(played: Played, row: Row) -> None:
    played.wait_until_met(row)
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
    played.wait_until_met(row)
    delivery = played.delivery(ill(row))
    assert delivery["state"] == row.follows.delivery
    assert delivery["reason"] is None or delivery["reason"] == (row.of_delivery or row.shown)
    if delivery["state"] in ("waiting", "held"):
        assert delivery["eta"] is not None or delivery["needs"] is not None, "nothing stops silently"


@pytest.mark.parametrize("row", [row for row in ROWS if row.follows is Follows.ALONE], ids=lambda row: row.name)
def test_the_mailbox_had_waited_before_the_message_was_taken_to_be_alone_with_it(played: Played, row: Row) -> None:
    played.relay.wait_for("health_changed", mailbox=ill(row), health=row.reply_class)


@BY_ROW
def test_who_can_mend_it_is_told_and_nobody_else(played: Played, row: Row) -> None:
    assert played.letters(owner(row)) == subjects(row, OWNER)


@BY_ROW
def test_ops_hear_by_webhook_of_all_that_is_told_once(played: Played, row: Row) -> None:
    events = played.heard(row)
    assert sorted(event["type"] for event in events) == sorted(row.notices)
    for event in events:
        about, is_of_mailbox = event["data"], event["type"].startswith("mailbox.")
        assert about["mailbox"] == (ill(row) if is_of_mailbox else None)
        assert about["accounts"] == ([ill(row)] if is_of_mailbox else []), "of a provider nobody is named"
        assert about["reason"] == row.shown


def test_ops_who_have_a_webhook_get_no_mail_and_the_vendor_does(played: Played) -> None:
    assert played.letters(POSTMASTER) == sorted(subject for row in ROWS for subject in subjects(row, VENDOR))


@pytest.mark.parametrize("row", OF_OPS, ids=lambda row: row.name)
def test_ops_without_a_webhook_are_told_by_mail_once(without_webhook: Played, row: Row) -> None:
    theirs = [subject for subject in without_webhook.letters(POSTMASTER) if subject in subjects(row, OPS)]
    assert theirs == subjects(row, OPS)


def test_nobody_is_told_who_the_patient_is(played: Played, without_webhook: Played) -> None:
    said = played.outside.all_that_was_said() + without_webhook.outside.all_that_was_said()
    assert POSTMASTER.encode() in said
    assert PATIENT.encode() not in said
    assert b"Ricetta" not in said


@BY_ROW
def test_it_is_counted(played: Played, row: Row) -> None:
    logins = f'relay_upstream_logins_total{{provider="{row.name}",result="%s"}}'
    attempts = f'relay_attempts_total{{class="{row.reply_class}",provider="{row.name}"}}'
    is_login = row.stage in ("connect", "ehlo", "starttls", "auth")
    assert played.has_counted(*([logins % "rejected", logins % "deferred"] if is_login else [attempts]))


@BY_ROW
def test_the_innocent_neighbour_is_served(played: Played, row: Row) -> None:
    if row.follows.is_of_all:
        return  # whoever is at that provider waits with it; a stranger is looked at below
    played.outside.wait_for(row.name, "delivered", user=healthy(row))
    played.relay.wait_for("delivered", account=healthy(row))
    account = played.account(healthy(row))
    assert (account["health"], account["queued"]) == ("ok", 0)


def test_an_innocent_at_another_provider_is_served(played: Played) -> None:
    played.outside.wait_for(THEIRS, "delivered", user=STRANGER)


@BY_ROW
def test_who_is_refused_is_not_asked_again_at_once(played: Played, row: Row) -> None:
    """One try, or for what is no failure two: retries are paced by the mailbox."""
    log = [record for record in played.outside.log(row.name) if record["user"] in (ill(row), None)]
    tries = [record for record in log if record["stage"] == row.stage and record["event"] in ("refused", row.stage)]
    assert len(tries) <= 3
