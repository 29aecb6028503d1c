"""What an account's provider takes, held against a mail while its sender still sees the error."""

from dataclasses import replace

import pytest

from relay.core.routing import Routing
from tests.fakes.submission import Office, practice
from tests.unit.submission.dialogue import MAIL, MESSAGE, after_login, send

SENDER = b"MAIL FROM:<m.rossi@d.test>"


def at_provider(*, message_size: int | None = None, takes_null_sender: bool = True) -> Routing:
    routing = practice()
    providers = {
        name: replace(each, message_size=message_size, takes_null_sender=takes_null_sender)
        for name, each in routing.providers.items()
    }
    return replace(routing, providers=providers)


async def test_a_mail_that_its_provider_would_not_take_is_refused_at_mail_with_the_providers_bound() -> None:
    office = Office(at_provider(message_size=20_000_000))
    replies = await after_login(office, SENDER + b" SIZE=20000001\r\n" + SENDER + b" SIZE=20000000\r\n")
    assert replies[0].startswith("552 5.3.4 ")
    assert "20000000" in replies[0]
    assert replies[1].startswith("250 ")
    assert [each["account"] for each in office.observer.told("refused")] == ["m.rossi@d.test"]


async def test_and_after_the_dot_by_a_client_that_did_not_say_the_size() -> None:
    office = Office(at_provider(message_size=1000))
    reply = await send(office, MESSAGE + b"x" * 80 + b"\r\n" + (b"y" * 80 + b"\r\n") * 20)
    assert reply.startswith("552 5.3.4 ")
    assert "1000" in reply
    assert (await send(office)).startswith("250 ")
    assert len(office.intake.messages) == 1


async def test_what_counts_is_what_the_provider_sees_with_our_own_header() -> None:
    office = Office()
    await send(office)
    size = len(office.intake.messages[0].content)
    assert size > len(MESSAGE)
    assert (await send(Office(at_provider(message_size=size)))).startswith("250 ")
    assert (await send(Office(at_provider(message_size=size - 1)))).startswith("552 5.3.4 ")


async def test_the_relay_goes_on_offering_its_own_size() -> None:
    (size,) = [
        line
        for line in await after_login(Office(at_provider(message_size=1000)), b"EHLO pc\r\n")
        if line[4:].startswith("SIZE")
    ]
    assert size[4:] == "SIZE 25000000"


NULL = MAIL.replace(b"m.rossi@d.test", b"")


async def test_where_a_provider_takes_no_null_sender_the_accounts_own_address_stands_for_it_and_nobody_reports() -> (
    None
):
    office = Office(at_provider(takes_null_sender=False))
    assert (await send(office, mail=NULL)).startswith("250 ")
    envelope = office.intake.messages[0].envelope
    assert envelope.sender == "m.rossi@d.test"
    assert [each.notify for each in envelope.recipients] == [("NEVER",)]


@pytest.mark.parametrize("takes_null_sender", [True, False])
async def test_all_other_mail_leaves_as_it_came(takes_null_sender: bool) -> None:
    office = Office(at_provider(takes_null_sender=takes_null_sender))
    await send(office, mail=MAIL.replace(b"x.test>", b"x.test> NOTIFY=FAILURE"))
    envelope = office.intake.messages[0].envelope
    assert envelope.sender == "m.rossi@d.test"
    assert [each.notify for each in envelope.recipients] == [("FAILURE",)]
