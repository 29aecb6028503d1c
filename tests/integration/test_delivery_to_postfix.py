"""A real Postfix as the provider: what is said to it, it understands, and keeps."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from relay.core.envelope import Envelope, Recipient, Result, Verdict
from relay.core.routing import Provider, Tls
from relay.core.words import MailboxId
from relay.delivery.smtp import Route, SmtpUpstream
from relay.delivery.trust import SystemTrust
from relay.delivery.upstream import LoginFailed, Session
from tests.integration.upstream_postfix import (
    IMPLICIT,
    MECHANISMS,
    MESSAGE_SIZE_LIMIT,
    PASSWORD,
    PROGRAMS,
    USER,
    PostfixProvider,
    can_run,
    running,
)

pytestmark = [
    pytest.mark.needs(*PROGRAMS),
    pytest.mark.skipif(not can_run(), reason="only root can start Postfix"),
]

NEVER, SUCCESS, DELAY = 1, 2, 8
"""Of Postfix's notify_flags; FAILURE is 4."""

HEADERS = 2
"""RET=HDRS in Postfix's ret_flags."""

TOO_LARGE = "552 5.3.4"
"""How Postfix refuses a mail over its size."""

CONTENT = b"Subject: ricetta\r\nMessage-ID: <1@relay.test>\r\n\r\n.\r\n..dots\r\nBuongiorno \xe8\r\n"


@pytest.fixture(scope="module")
def postfix() -> Iterator[PostfixProvider]:
    with running() as provider:
        yield provider


async def _here(provider: str, host: str) -> Sequence[str]:
    return ["127.0.0.1"]


async def log_in(postfix: PostfixProvider, way: str = "PLAIN", *, secret: str = PASSWORD) -> Session:
    """A session through this listener, under the authority that the routing names."""
    tls = Tls.IMPLICIT if way == IMPLICIT else Tls.STARTTLS
    authority = str(postfix.shown.authority)
    provider = Provider("postfix", "localhost", postfix.ports[way], tls=tls, tls_ca=authority)
    upstream = SmtpUpstream("relay.example.it", lambda _: Route(provider, secret), resolve=_here, trust=SystemTrust())
    return await upstream.open(MailboxId("postfix", USER))


async def send(postfix: PostfixProvider, way: str = "PLAIN", content: bytes = CONTENT, **terms: Any) -> Result:
    """One mail with these terms of the envelope."""

    async def gate() -> bool:
        return True

    recipient = Recipient(terms.pop("recipient", "p@example.org"), terms.pop("notify", ()), terms.pop("orcpt", None))
    session = await log_in(postfix, way)
    try:
        return await session.transmit(Envelope(USER, (recipient,), **terms), content, gate)
    finally:
        await session.close()


def the_one(postfix: PostfixProvider, address: str) -> str:
    """The only message that it keeps for this address."""
    (kept,) = [text for text in postfix.taken() if address in text]
    return kept


@pytest.mark.parametrize("way", [*MECHANISMS, IMPLICIT])
async def test_every_mechanism_logs_in_and_its_mail_is_kept(postfix: PostfixProvider, way: str) -> None:
    address = f"{way.lower()}@example.org"
    result = await send(postfix, way, recipient=address)
    assert result.verdict is Verdict.DELIVERED
    kept = the_one(postfix, address)
    assert f"sasl_username={USER}" in kept
    expected = "PLAIN" if way == IMPLICIT else way
    assert f"sasl_method={expected}" in kept


@pytest.mark.parametrize("way", MECHANISMS)
async def test_a_wrong_password_is_a_refused_login_in_every_mechanism(postfix: PostfixProvider, way: str) -> None:
    with pytest.raises(LoginFailed) as caught:
        await log_in(postfix, way, secret="wrong")
    assert (caught.value.failure.reply_class, caught.value.failure.is_login_sent) == ("auth-rejected", True)


async def test_what_the_sender_wants_to_be_told_reaches_the_provider(postfix: PostfixProvider) -> None:
    result = await send(
        postfix, recipient="dsn@example.org", notify=("SUCCESS", "DELAY"), orcpt="rfc822;other@example.org",
        envid="QQ314159", ret="HDRS",
    )  # fmt: skip
    assert (result.verdict, result.is_dsn_passed_on) == (Verdict.DELIVERED, True)
    kept = the_one(postfix, "dsn@example.org")
    assert "named_attribute: envelope_id=QQ314159\n" in kept
    assert "named_attribute: dsn_orig_rcpt=rfc822;other@example.org\n" in kept
    assert f"named_attribute: ret_flags={HEADERS}\n" in kept
    assert f"named_attribute: notify_flags={SUCCESS | DELAY}\n" in kept


async def test_no_reports_at_all_is_passed_on_too(postfix: PostfixProvider) -> None:
    result = await send(postfix, recipient="never@example.org", notify=("NEVER",))
    assert result.is_dsn_passed_on
    assert f"named_attribute: notify_flags={NEVER}\n" in the_one(postfix, "never@example.org")


async def test_the_mail_arrives_line_by_line_as_it_was_accepted(postfix: PostfixProvider) -> None:
    await send(postfix, recipient="bytes@example.org", is_8bit=True)
    text = [line.removeprefix("regular_text: ") for line in the_one(postfix, "bytes@example.org").splitlines()]
    assert text[text.index("") + 1 :][:3] == [".", "..dots", "Buongiorno \ufffd"]


async def test_letters_outside_ascii_reach_it_as_it_can_take_them(postfix: PostfixProvider) -> None:
    """Postfix offers SMTPUTF8; still a domain alone is spelled as the DNS has it."""
    assert (await send(postfix, recipient="pérez@example.org")).verdict is Verdict.DELIVERED
    the_one(postfix, "recipient: pérez@example.org")
    assert (await send(postfix, recipient="umlaut@münchen.example")).verdict is Verdict.DELIVERED
    the_one(postfix, "recipient: umlaut@xn--mnchen-3ya.example")


async def test_a_mail_over_its_size_is_not_sent_to_it(postfix: PostfixProvider) -> None:
    result = await send(postfix, content=CONTENT + b"x" * MESSAGE_SIZE_LIMIT, recipient="large@example.org")
    assert (result.verdict, result.reply_class) == (Verdict.BOUNCED, "message-too-large")
    assert result.reply is not None
    assert str(MESSAGE_SIZE_LIMIT) in result.reply.text
    assert TOO_LARGE not in postfix.log(), (
        "it was never asked: a queue id may hold any digits, so its whole words count"
    )
