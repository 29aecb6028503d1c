"""What a secret is for: the first use that it is put to, over protection at least as good, and nothing else."""

from dataclasses import replace

import pytest

from relay.core.routing import Account, Auth, Client, OAuthClient, Provider, Routing, SecretKind, SecretReference, Tls
from relay.core.secretuse import (
    OWN,
    Credential,
    SecretUse,
    UseKind,
    mailbox_use,
    oauth_use,
    objection,
    read_use,
    uses_of,
    write_use,
)
from relay.core.words import MailboxId, Plan

ROSSI = "m.rossi@studio.test"
LAB = Provider("lab", "Smtp.Lab.test", 465, tls=Tls.IMPLICIT)
BOUND = mailbox_use(LAB, ROSSI)
CLEAR = mailbox_use(replace(LAB, tls=Tls.NONE, port=25), ROSSI)


def stored(name: str) -> SecretReference:
    return SecretReference(SecretKind.STORED, name)


def test_a_mailbox_is_known_by_host_protection_login_and_kind() -> None:
    assert SecretUse(UseKind.MAILBOX, "smtp.lab.test", 465, is_encrypted=True, login=ROSSI) == BOUND
    assert mailbox_use(replace(LAB, auth=Auth.OAUTH2), ROSSI).credential is Credential.REFRESH_TOKEN
    assert mailbox_use(replace(LAB, tls_ca="ca.pem"), ROSSI).has_own_anchor


@pytest.mark.parametrize(
    "asked",
    [
        BOUND,
        mailbox_use(replace(LAB, port=587, tls=Tls.STARTTLS), ROSSI),
        mailbox_use(replace(LAB, name="other", connections=9), ROSSI),
    ],
)
def test_the_same_host_over_tls_gets_it_at_whatever_port(asked: SecretUse) -> None:
    """Whoever moves five thousand doctors from 587 to 465 has not to set five thousand passwords again."""
    assert objection(BOUND, asked) is None


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (mailbox_use(replace(LAB, host="smtp.evil.test"), ROSSI), "smtp.evil.test"),
        (mailbox_use(LAB, "somebody@else.test"), "somebody@else.test"),
        (mailbox_use(replace(LAB, tls=Tls.NONE), ROSSI), "clear text"),
        (mailbox_use(replace(LAB, tls_ca="/tmp/ca.pem"), ROSSI), "tls_ca"),
        (mailbox_use(replace(LAB, auth=Auth.OAUTH2), ROSSI), "refresh token"),
        (OWN, "credential of a mailbox"),
    ],
)
def test_what_is_weaker_or_elsewhere_does_not_and_the_reason_says_what_is_different(
    asked: SecretUse, says: str
) -> None:
    found = objection(BOUND, asked)
    assert found is not None
    assert says in found


def test_in_clear_text_another_port_is_another_program() -> None:
    found = objection(CLEAR, replace(CLEAR, port=2525))
    assert found is not None
    assert "2525" in found


def test_from_clear_text_to_tls_is_no_loss_and_is_not_taken_back() -> None:
    assert objection(CLEAR, BOUND) is None
    assert BOUND.is_stronger_than(CLEAR)
    assert not CLEAR.is_stronger_than(BOUND)
    assert not BOUND.is_stronger_than(BOUND)
    assert BOUND.is_stronger_than(replace(BOUND, has_own_anchor=True))


def test_what_is_bound_to_nothing_stays_inside() -> None:
    assert objection(None, OWN) is None
    assert objection(None, BOUND) is not None


def test_a_client_secret_goes_where_its_tokens_are_asked_for() -> None:
    client = OAuthClient("id", stored("hush"), "https://login.example/token")
    here = oauth_use(client)
    assert objection(here, oauth_use(replace(client, scope="more", token_url="https://LOGIN.example/v2"))) is None
    assert objection(here, oauth_use(replace(client, token_url="https://evil.example/token"))) is not None
    assert objection(here, oauth_use(replace(client, token_url="http://login.example/token"))) is not None
    assert objection(here, oauth_use(replace(client, client_id="other"))) is not None
    assert objection(here, oauth_use(replace(client, token_url=""))) is not None


@pytest.mark.parametrize("use", [BOUND, CLEAR, OWN, mailbox_use(replace(LAB, auth=Auth.OAUTH2), "x")])
def test_what_is_written_is_read(use: SecretUse) -> None:
    assert read_use(write_use(use)) == use


def test_the_first_use_in_a_routing_is_the_mailbox() -> None:
    oauth = OAuthClient("id", stored("client"), "https://login.example/token")
    providers = {
        "lab": LAB,
        "open": replace(LAB, name="open", auth=Auth.NONE),
        "cloud": replace(LAB, name="cloud", auth=Auth.OAUTH2, oauth=oauth),
        "plain": replace(LAB, name="plain", oauth=replace(oauth, client_secret=None)),
    }
    accounts = [
        Account("a@d.test", Plan.PERSONAL, MailboxId("lab", "a"), stored("a")),
        Account("b@d.test", Plan.PERSONAL, MailboxId("lab", "b"), stored("a")),
        Account("c@d.test", Plan.PERSONAL, MailboxId("open", "c"), stored("c")),
        Account("d@d.test", Plan.PERSONAL, MailboxId("lab", "d"), SecretReference(SecretKind.ENV, "D")),
        Account("e@d.test", Plan.PERSONAL, MailboxId("lab", "e")),
        Account("f@d.test", Plan.PERSONAL, MailboxId("gone", "f"), stored("f")),
    ]
    clients = [
        Client("one", ("*",), stored("a")),
        Client("two", ("*",), stored("two")),
        Client("three", ("*",)),
        Client("four", ("*",), SecretReference(SecretKind.LITERAL, "x")),
    ]
    routing = Routing({each.name: each for each in clients}, providers, {each.sender: each for each in accounts})
    assert uses_of(routing) == {"a": mailbox_use(LAB, "a"), "client": oauth_use(oauth), "two": OWN}
