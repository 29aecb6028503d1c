"""References resolve or say why not, without a value; a fingerprint changes exactly when route or credentials do."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.config.references import SECRET_BYTES, Fingerprinted, References, Unresolved, fingerprints
from relay.core.routing import Account, Auth, OAuthClient, Provider, Routing, SecretKind, SecretReference, Tls
from relay.core.secretuse import OWN, SecretUse
from relay.core.words import MailboxId, Plan

KEY = b"k" * 32


def reference(kind: SecretKind, value: object) -> SecretReference:
    return SecretReference(kind, str(value))


def test_each_kind_is_looked_up_where_it_says(tmp_path: Path) -> None:
    (tmp_path / "pw").write_bytes(b"in a file\r\n")
    resolve = References({"PW": "in the environment"}, lambda name, use: {"pw": "in the store"}.get(name))
    assert resolve(reference(SecretKind.ENV, "PW")) == "in the environment"
    assert resolve(reference(SecretKind.STORED, "pw")) == "in the store"
    assert resolve(reference(SecretKind.FILE, tmp_path / "pw")) == "in a file"
    assert resolve(reference(SecretKind.LITERAL, "here")) == "here"


def test_a_file_loses_one_line_end_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "pw").write_bytes(b" two\nlines \n\n")
    assert References({})(reference(SecretKind.FILE, tmp_path / "pw")) == " two\nlines \n"


def test_what_does_not_resolve_says_why(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"\n")
    (tmp_path / "long").write_bytes(b"x" * (SECRET_BYTES + 1))
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    resolve = References({"EMPTY": ""})
    said = {
        (SecretKind.ENV, "PW"): "env:PW is not set",
        (SecretKind.ENV, "EMPTY"): "env:EMPTY is empty",
        (SecretKind.STORED, "pw"): "secret:pw is not in the store",
        (SecretKind.FILE, f"{tmp_path}/none"): f"file:{tmp_path}/none cannot be read: no such file or directory",
        (SecretKind.FILE, f"{tmp_path}"): f"file:{tmp_path} cannot be read: is a directory",
        (SecretKind.FILE, f"{tmp_path}/empty"): f"file:{tmp_path}/empty is empty",
        (SecretKind.FILE, f"{tmp_path}/long"): f"file:{tmp_path}/long is longer than 64 KiB",
        (SecretKind.FILE, f"{tmp_path}/bytes"): f"file:{tmp_path}/bytes is not UTF-8 text",
        (SecretKind.FILE, "nul\0"): "file:nul\0 is not UTF-8 text",
    }
    for (kind, value), reason in said.items():
        if "\0" in value:
            assert isinstance(resolve(reference(kind, value)), Unresolved)
        else:
            assert resolve(reference(kind, value)) == Unresolved(reason)


def test_each_look_is_a_new_one(tmp_path: Path) -> None:
    resolve, file = References({}), tmp_path / "pw"
    file.write_text("old")
    assert resolve(reference(SecretKind.FILE, file)) == "old"
    file.write_text("new")
    assert resolve(reference(SecretKind.FILE, file)) == "new"


LAB = Provider("lab", "Lab.example", 465, tls=Tls.IMPLICIT)
ANNA = Account("anna@d.test", Plan.PERSONAL, MailboxId("lab", "anna"), SecretReference(SecretKind.ENV, "PW"))
ENVIRONMENT = {"PW": "hush", "OTHER": "other", "SAME": "hush"}


def fingerprint(provider: Provider = LAB, account: Account = ANNA, key: bytes = KEY) -> str | None:
    routing = Routing(providers={provider.name: provider}, accounts={account.sender: account})
    found = fingerprints(routing, References(ENVIRONMENT), key)
    assert list(found) == [account.mailbox]
    return found[account.mailbox]


@pytest.mark.parametrize(
    "change",
    [
        {"provider": replace(LAB, host="other.example")},
        {"provider": replace(LAB, port=466)},
        {"provider": replace(LAB, tls=Tls.STARTTLS)},
        {"provider": replace(LAB, auth=Auth.OAUTH2)},
        {"account": replace(ANNA, mailbox=MailboxId("lab", "bruno"))},
        {"account": replace(ANNA, password=SecretReference(SecretKind.ENV, "OTHER"))},
        {"key": b"K" * 32},
    ],
)
def test_a_fingerprint_changes_with_route_and_credentials(change: dict) -> None:
    assert fingerprint() != fingerprint(**change)


def test_a_fingerprint_stays_when_neither_route_nor_credentials_change() -> None:
    same = replace(ANNA, weight=9, password=SecretReference(SecretKind.ENV, "SAME"))
    moved = replace(LAB, host="lab.EXAMPLE", connections=7, reserve=LAB.reserve)
    assert fingerprint() == fingerprint(provider=moved, account=same)


def test_a_fingerprint_shows_nothing_and_cannot_be_guessed_without_the_key() -> None:
    found = fingerprint()
    assert found is not None
    assert len(found) == 64
    assert int(found, 16)
    assert "hush" not in found


def test_parts_cannot_run_into_each_other() -> None:
    one = replace(ANNA, mailbox=MailboxId("lab", "annah"), password=SecretReference(SecretKind.LITERAL, "ush"))
    two = replace(ANNA, mailbox=MailboxId("lab", "anna"), password=SecretReference(SecretKind.LITERAL, "hush"))
    assert fingerprint(account=one) != fingerprint(account=two)


def test_a_mailbox_without_credentials_has_none_unless_it_needs_none() -> None:
    without = replace(ANNA, password=None)
    unresolved = replace(ANNA, password=SecretReference(SecretKind.STORED, "anna"))
    assert fingerprint(account=without) is None
    assert fingerprint(account=unresolved) is None
    assert fingerprint(replace(LAB, auth=Auth.NONE), without) is not None


CLIENT = OAuthClient("id", SecretReference(SecretKind.ENV, "PW"), "https://login.example/token", "smtp")
OAUTH = replace(LAB, auth=Auth.OAUTH2, oauth=CLIENT)


def test_with_oauth2_a_mailbox_needs_no_password_and_none_counts() -> None:
    without = replace(ANNA, password=None)
    assert fingerprint(OAUTH, without) is not None
    assert fingerprint(OAUTH, without) == fingerprint(OAUTH, ANNA)
    assert fingerprint(replace(OAUTH, oauth=None), without) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "other"},
        {"client_secret": SecretReference(SecretKind.ENV, "OTHER")},
        {"client_secret": SecretReference(SecretKind.STORED, "nothing there")},
        {"client_secret": None},
        {"token_url": "https://login.example/other"},
        {"scope": ""},
    ],
)
def test_with_oauth2_the_client_is_part_of_the_way(change: dict[str, Any]) -> None:
    """Whoever mends the client's secret is served at once."""
    assert fingerprint(OAUTH) != fingerprint(replace(OAUTH, oauth=replace(CLIENT, **change)))
    assert fingerprint(replace(LAB, oauth=CLIENT)) == fingerprint(LAB), "and of nobody else's"


def test_a_client_secret_in_a_file_is_looked_at_anew(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    client = replace(CLIENT, client_secret=SecretReference(SecretKind.FILE, str(file)))
    routing = Routing({}, {"lab": replace(OAUTH, oauth=client)}, {ANNA.sender: ANNA})
    file.write_text("old")
    before = fingerprints(routing, References({}), KEY)
    assert fingerprints(routing, References({}), KEY, last=Fingerprinted(routing, before)) == before
    file.write_text("new")
    assert fingerprints(routing, References({}), KEY, last=Fingerprinted(routing, before)) != before


SECRETS = [None, *(SecretReference(kind, "PW") for kind in (SecretKind.ENV, SecretKind.STORED, SecretKind.LITERAL))]


@st.composite
def routings(draw: st.DrawFn) -> Routing:
    """A few accounts, some of one mailbox, at one or two providers that may have moved."""
    way = st.builds(Tls, st.sampled_from(["implicit", "starttls"]))
    providers = [
        Provider(name, f"{name}.example", 465, tls=draw(way), auth=draw(st.sampled_from(Auth))) for name in "ab"
    ]
    accounts = [
        Account(
            f"{name}@d.test", Plan.PERSONAL, MailboxId(draw(st.sampled_from("ab")), box), draw(st.sampled_from(SECRETS))
        )
        for name, box in (("anna", "one"), ("bruno", "two"), ("carla", "two"))
        if draw(st.booleans())
    ]
    return Routing({}, {each.name: each for each in providers}, {each.sender: each for each in accounts})


@given(before=routings(), after=routings(), old=st.none() | st.just("old"), new=st.none() | st.just("new"))
def test_what_is_taken_from_last_time_is_what_a_new_look_finds(
    before: Routing, after: Routing, old: str | None, new: str | None
) -> None:
    """An edit of one account among a hundred thousand looks at that one; the store's secrets may change without one."""
    last = Fingerprinted(before, fingerprints(before, References(ENVIRONMENT, lambda *_: old), KEY))
    resolve = References(ENVIRONMENT, lambda *_: new)
    assert fingerprints(after, resolve, KEY, last=last) == fingerprints(after, resolve, KEY)


def test_a_file_with_another_password_is_seen_though_the_routing_is_the_same(tmp_path: Path) -> None:
    file = tmp_path / "pw"
    account = replace(ANNA, password=reference(SecretKind.FILE, file))
    routing = Routing(providers={LAB.name: LAB}, accounts={account.sender: account})
    file.write_text("old")
    found = fingerprints(routing, References({}), KEY)
    file.write_text("new")
    assert fingerprints(routing, References({}), KEY, last=Fingerprinted(routing, found)) != found


def test_what_stood_still_is_not_looked_at_again() -> None:
    routing = Routing(providers={LAB.name: LAB}, accounts={ANNA.sender: ANNA})
    found = fingerprints(routing, References(ENVIRONMENT), KEY)
    asked: list[SecretReference] = []

    def remembering(secret: SecretReference, _: SecretUse = OWN, /) -> str | Unresolved:
        asked.append(secret)
        return References(ENVIRONMENT)(secret)

    assert fingerprints(routing, remembering, KEY, last=Fingerprinted(routing, found)) == found
    assert asked == []
