"""The routing: an address finds its account, a mailbox its limits, and the whole of it survives being kept as JSON."""

from dataclasses import fields, replace
from datetime import date
from fractions import Fraction
from ipaddress import ip_network
from typing import Any

import pytest

from relay.core.limits import HOUR, MINUTE, Limit, parse_limit
from relay.core.routing import (
    Account,
    Auth,
    BareNewline,
    Client,
    InDoubt,
    OAuthClient,
    Owner,
    Provider,
    Routing,
    SecretKind,
    SecretReference,
    Suppressed,
    Timeouts,
    Tls,
)
from relay.core.routing_json import read_account, read_routing, write_account, write_routing
from relay.core.words import MailboxId, Plan

LAB = Provider(
    "lab", "Mail.Lab.example", 465, limits=(parse_limit("100/h"), parse_limit("3/m")), reserve=Fraction(1, 4)
)
SHARED = MailboxId("lab", "studio")
ANNA = Account("anna@d.test", Plan.PERSONAL, SHARED, weight=2, limits=(parse_limit("50/h"),))
BRUNO = Account(
    "bruno@d.test",
    Plan.BUSINESS,
    SHARED,
    password=SecretReference(SecretKind.ENV, "STUDIO"),
    limits=(parse_limit("50/h"), parse_limit("300/d")),
    aliases=("info@d.test",),
    weight=4,
    replaces={"old@d.test": date(2027, 12, 31)},
)
CARLA = Account("carla@d.test", Plan.LEGACY, MailboxId("lab", "carla"))
ROUTING = Routing(providers={"lab": LAB}, accounts={account.sender: account for account in (ANNA, BRUNO, CARLA)})


@pytest.mark.parametrize("address", ["bruno@d.test", "BRUNO@D.test", "Info@d.test", "old@D.TEST"])
def test_sender_alias_and_replaced_address_find_the_account_whatever_their_case(address: str) -> None:
    assert ROUTING.account_of(address) is BRUNO


def test_a_foreign_address_finds_nobody() -> None:
    assert ROUTING.account_of("bruno@other.test") is None


def test_accounts_of_one_practice_share_their_mailbox() -> None:
    assert ROUTING.by_mailbox == {SHARED: (ANNA, BRUNO), CARLA.mailbox: (CARLA,)}
    assert list(ROUTING.mailboxes()) == [SHARED, CARLA.mailbox]
    assert ROUTING.provider_of(SHARED) is LAB


def test_a_third_account_joins_its_mailbox_in_order() -> None:
    dora = replace(ANNA, sender="dora@d.test")
    accounts = {account.sender: account for account in (ANNA, CARLA, BRUNO, dora)}
    assert Routing(providers={"lab": LAB}, accounts=accounts).by_mailbox[SHARED] == (ANNA, BRUNO, dora)


def test_all_limits_of_a_mailbox_hold_together_and_the_reserve_is_of_the_providers_only() -> None:
    assert ROUTING.limits_of(SHARED) == (Limit(75, HOUR), Limit(2, MINUTE), Limit(50, HOUR), parse_limit("300/d"))
    assert ROUTING.limits_of(CARLA.mailbox) == (Limit(75, HOUR), Limit(2, MINUTE))


def test_a_mailbox_has_the_greatest_weight_and_the_one_password_of_its_accounts() -> None:
    assert ROUTING.weight_of(SHARED) == 4
    assert ROUTING.weight_of(MailboxId("lab", "nobody")) == 1
    assert ROUTING.password_of(SHARED) == SecretReference(SecretKind.ENV, "STUDIO")
    assert ROUTING.password_of(CARLA.mailbox) is None
    assert ROUTING.password_of(MailboxId("lab", "nobody")) is None


def test_the_same_endpoint_is_the_same_provider_whatever_its_spelling() -> None:
    assert LAB.endpoint == "mail.lab.example:465"


def test_a_literal_secret_does_not_show() -> None:
    secret = SecretReference(SecretKind.LITERAL, "hush")
    assert "hush" not in f"{secret} {secret!r} {replace(CARLA, password=secret)!r}"
    assert str(SecretReference(SecretKind.STORED, "m.rossi")) == "secret:m.rossi"


FULL = Routing(
    clients={
        "studio": Client(
            "studio",
            ("*@d.test", "*"),
            SecretReference(SecretKind.LITERAL, "$argon2id$"),
            (ip_network("10.0.0.0/8"), ip_network("fd00::/8")),
            BareNewline.REJECT,
            Suppressed.BY_HEADER,
        ),
        "room": Client("room", ("*",)),
    },
    providers={
        "lab": LAB,
        "full": Provider(
            "full", "h.it", 25, "aruba", Tls.IMPLICIT, "/ca.pem", True, Auth.OAUTH2, (Limit(1, 2), Limit(900, 0)),
            (Limit(3, 4),), 5, 6, Limit(7, 8), 9, Fraction(1, 3), 10, 11, True,
            OAuthClient("id", SecretReference(SecretKind.FILE, "/pw"), "https://t", "s"), Fraction(1, 5),
            "Europe/Lisbon", Timeouts(1, 2, 3, 4), (("2027-01-01 00:00", "2027-01-02 00:00"),),
            takes_null_sender=False, message_size=12, expires_passwords=True,
        ),
    },
    accounts={
        ANNA.sender: ANNA,
        "full@d.test": Account(
            "full@d.test", Plan.PREMIUM, MailboxId("full", "è"), SecretReference(SecretKind.STORED, "x"),
            (Limit(1, 2),),
            ("a@b.it",), 7, {"old@b.it": date(2027, 12, 31)}, date(2027, 1, 1), date(2027, 2, 2),
            Owner("Dr. È", "e@x.it", "+39"), InDoubt.HOLD, 99, "reject", "dns", "hold", 5,
        ),
    },
)  # fmt: skip


def test_a_client_that_was_kept_before_it_had_an_address_is_still_read() -> None:
    text = '{"providers":{"p":{"name":"p","host":"h","port":1,"oauth":{"client_id":"id"}}}}'
    assert read_routing(text).providers["p"].oauth == OAuthClient("id", None, "", "")


@pytest.mark.parametrize("routing", [Routing(), ROUTING, FULL], ids=["empty", "common", "full"])
def test_a_routing_is_the_same_after_it_was_kept(routing: Routing) -> None:
    kept = read_routing(write_routing(routing))
    assert kept == routing
    assert write_routing(kept) == write_routing(routing)
    assert {account.mailbox for account in kept.accounts.values()} == set(routing.by_mailbox)


@pytest.mark.parametrize("account", [ANNA, *FULL.accounts.values()], ids=lambda account: account.sender)
def test_an_account_is_the_same_after_it_was_kept_by_itself(account: Account) -> None:
    assert read_account(write_account(account)) == account


def test_no_field_of_the_full_example_is_at_its_default() -> None:
    full: tuple[Any, ...] = (FULL.accounts["full@d.test"], FULL.providers["full"], FULL.clients["studio"])
    small = Account("s", Plan.PERSONAL, SHARED), Provider("s", "s", 1), Client("s", ())
    for one, other in zip(full, small, strict=True):
        names = [field.name for field in fields(one)]
        assert [name for name in names if getattr(one, name) == getattr(other, name)] == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"accounts": 1}', '{"accounts": {"a": {}}}', '{"unknown": {}}'])
def test_what_is_no_routing_is_refused(text: str) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError)):
        read_routing(text)
