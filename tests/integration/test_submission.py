"""Mail clients hand their mail to a real listener over real sockets, on the standard event loop and on uvloop."""

import asyncio
import smtplib
import socket
from collections.abc import Callable, Coroutine
from email.message import EmailMessage
from pathlib import Path

import pytest
import uvloop

from relay.core.limits import SECOND
from relay.core.routing import Tls
from relay.errors import ConfigError, StoreUnavailable
from relay.submission import ListenerSettings
from tests.fakes.submission import by_address, practice
from tests.integration.submission_peer import LOGIN, Relay, listening
from tests.unit.submission.dialogue import MAIL, MESSAGE, plain

WHOLE = MAIL + MESSAGE + b".\r\n"

SHORT: int = 3 * SECOND
"""Idle time that a test waits for, and that a machine which stalls does not use up between two commands."""


def mail(text: str = "Buongiorno\n.\n..due\nfine") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Dr. Rossi <m.rossi@d.test>"
    message["To"] = "paziente@x.test"
    message["Bcc"] = "altro@x.test"
    message["Subject"] = "Ricetta"
    message.set_content(text)
    return message


class TestSmtplib:
    @pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
    async def test_logs_in_and_sends(self, mechanism: str) -> None:
        async with listening() as relay:
            await asyncio.to_thread(self.send, relay.port, mechanism)
            stored = relay.office.intake.messages[0]
            assert stored.envelope.sender == "m.rossi@d.test"
            assert [one.address for one in stored.envelope.recipients] == ["paziente@x.test", "altro@x.test"]
            assert stored.content.endswith(b"\r\n\r\nBuongiorno\r\n.\r\n..due\r\nfine\r\n")
            assert b"altro@x.test" not in stored.content

    def send(self, port: int, mechanism: str) -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
            client.ehlo()
            client.user, client.password = "studio", "secret"
            client.auth(mechanism, getattr(client, f"auth_{mechanism.lower()}"))
            assert client.send_message(mail()) == {}

    async def test_hears_of_wrong_logins_and_refused_recipients(self) -> None:
        async with listening() as relay:
            await asyncio.to_thread(self.fail, relay.port)
            assert len(relay.office.intake.messages) == 1

    def fail(self, port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
            with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
                client.login("studio", "wrong")
            assert caught.value.smtp_code == 421 or caught.value.smtp_code == 535
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
            client.login("studio", "secret")
            refused = client.sendmail("m.rossi@d.test", ["p@x.test", "not an address"], MESSAGE)
            assert [code for code, _ in refused.values()] == [553]

    async def test_sends_many_over_one_connection(self) -> None:
        async with listening() as relay:
            await asyncio.to_thread(self.send_many, relay.port)
            assert [message.id for message in relay.office.intake.messages] == [f"m-{n}" for n in range(1, 21)]

    def send_many(self, port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
            client.login("studio", "secret")
            for _ in range(20):
                client.send_message(mail("x" * 100_000))

    async def test_a_large_message_arrives_byte_for_byte(self) -> None:
        body = b"".join(b".%d \xff\r\n" % number for number in range(200_000))
        async with listening() as relay:
            await asyncio.to_thread(self.send_raw, relay.port, MESSAGE + body)
            assert relay.office.intake.messages[0].content.endswith(body)

    def send_raw(self, port: int, message: bytes) -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
            client.login("studio", "secret")
            client.sendmail("m.rossi@d.test", ["p@x.test"], message)


@pytest.mark.needs("swaks")
class TestSwaks:
    @pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
    async def test_logs_in_and_sends(self, mechanism: str, tmp_path: Path) -> None:
        async with listening() as relay:
            status, said = await self.run(
                relay, "--auth", mechanism, "--auth-user", "studio", "--auth-password", "secret", folder=tmp_path
            )
            assert status == 0, said
            assert "queued as m-1" in said
            assert relay.office.intake.messages[0].account == "m.rossi@d.test"

    async def test_sends_without_login_where_its_address_is_known(self, tmp_path: Path) -> None:
        async with listening(practice(by_address())) as relay:
            status, said = await self.run(relay, folder=tmp_path)
            assert status == 0, said

    async def test_pipelines(self, tmp_path: Path) -> None:
        async with listening(practice(by_address())) as relay:
            status, said = await self.run(relay, "--pipeline", folder=tmp_path)
            assert status == 0, said

    async def test_is_told_that_it_has_to_log_in(self, tmp_path: Path) -> None:
        async with listening() as relay:
            status, said = await self.run(relay, folder=tmp_path)
            assert status != 0
            assert "530 5.7.0" in said

    async def run(self, relay: Relay, *arguments: str, folder: Path) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            "swaks", "--server", f"127.0.0.1:{relay.port}", "--from", "m.rossi@d.test", "--to", "p@x.test",
            *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=folder,
        )  # fmt: skip
        said, _ = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode or 0, said.decode()


@pytest.mark.needs("smtp-source")
@pytest.mark.parametrize("options", [(), ("-d",)], ids=["a connection per mail", "connections reused"])
async def test_smtp_source_sends_many_at_once(options: tuple[str, ...]) -> None:
    async with listening(practice(by_address())) as relay:
        process = await asyncio.create_subprocess_exec(
            "smtp-source", *options, "-s", "5", "-m", "100", "-l", "4096", "-f", "m.rossi@d.test", "-t", "p@x.test",
            f"inet:127.0.0.1:{relay.port}",
        )  # fmt: skip
        assert await asyncio.wait_for(process.wait(), 60) == 0
        assert len({message.id for message in relay.office.intake.messages}) == 100


class TestBytes:
    async def test_everything_at_once_is_answered_in_order(self) -> None:
        async with listening() as relay:
            client = await relay.client()
            await client.say(LOGIN + WHOLE + b"RSET\r\nNOOP\r\n" + WHOLE + b"QUIT\r\n")
            found = [(await client.reply())[:3] for _ in range(13)]
            assert found == ["250", "235", "250", "250", "354", "250", "250", "250", "250", "250", "354", "250", "221"]
            assert await client.reply() == ""
            assert len(relay.office.intake.messages) == 2
            await client.close()

    async def test_one_byte_at_a_time_is_understood(self) -> None:
        async with listening() as relay:
            client = await relay.client()
            client.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for octet in LOGIN + WHOLE + b"QUIT\r\n":
                await client.say(bytes([octet]))
            found = [(await client.reply())[:3] for _ in range(7)]
            assert found == ["250", "235", "250", "250", "354", "250", "221"]
            assert relay.office.intake.messages[0].content.endswith(MESSAGE)
            await client.close()

    async def test_an_empty_message_ends_at_once(self) -> None:
        async with listening() as relay:
            client = await relay.logged_in()
            assert (await client.ask(MAIL, replies=3)).startswith("354 ")
            assert (await client.ask(b".\r\n")).startswith("250 ")
            assert (await client.ask(MAIL, replies=3)).startswith("354 ")
            await client.say(b".")
            await client.say(b"\r")
            assert (await client.ask(b"\n")).startswith("250 ")
            await client.close()


class TestHangingUp:
    async def test_half_closed_after_quit_is_still_served(self) -> None:
        """The client says everything, shuts its side, and the store takes its time."""
        async with listening() as relay:
            relay.office.intake.gate = asyncio.Event()
            client = await relay.client()
            await client.say(LOGIN + WHOLE + b"QUIT\r\n")
            client.finish()
            await asyncio.wait_for(relay.office.intake.begun.wait(), 60)
            await asyncio.sleep(0)
            relay.office.intake.gate.set()
            found = [(await client.reply())[:3] for _ in range(7)]
            assert found == ["250", "235", "250", "250", "354", "250", "221"]
            assert len(relay.office.intake.messages) == 1
            await client.close()

    async def test_gone_while_the_message_is_stored_leaves_it_stored(self) -> None:
        async with listening() as relay:
            relay.office.intake.gate = asyncio.Event()
            client = await relay.logged_in()
            await client.say(WHOLE)
            await asyncio.wait_for(relay.office.intake.begun.wait(), 60)
            client.writer.transport.abort()
            closing = asyncio.create_task(relay.server.close())
            for _ in range(20):
                await asyncio.sleep(0)
            assert not closing.done(), "closed while the store was taking a message"
            relay.office.intake.gate.set()
            await asyncio.wait_for(closing, 60)
            assert len(relay.office.intake.messages) == 1
            assert len(relay.office.observer.told("accepted")) == 1

    @pytest.mark.parametrize("cut", [b"", b"EHLO pc\r\n", LOGIN + MAIL + MESSAGE, LOGIN + MAIL + MESSAGE + b".\r"])
    async def test_gone_before_the_end_leaves_nothing(self, cut: bytes) -> None:
        async with listening() as relay:
            client = await relay.client()
            await client.say(cut)
            await client.close()
            await asyncio.wait_for(relay.server.drain(), 60)
            assert relay.office.intake.messages == []
            assert len(relay.office.observer.told("disconnected")) == 1

    async def test_a_store_that_is_away_is_said_and_the_client_may_try_again(self) -> None:
        async with listening() as relay:
            relay.office.intake.trouble = StoreUnavailable()
            client = await relay.logged_in()
            assert (await client.ask(WHOLE, replies=4)).startswith("451 4.3.0 ")
            relay.office.intake.trouble = None
            assert (await client.ask(WHOLE, replies=4)).startswith("250 ")
            await client.close()


class TestBounds:
    async def test_connections_beyond_the_bound_are_told_and_closed(self) -> None:
        async with listening(max_connections=2) as relay:
            first, second = await relay.client(), await relay.client()
            third = await relay.client()
            assert third.banner.startswith("421 4.3.2 ")
            assert await third.reply() == ""
            await first.ask(b"QUIT\r\n")
            await first.close()
            await asyncio.wait_for(relay.office.observer.somebody_left.wait(), 60)
            fourth = await relay.client()
            assert fourth.banner.startswith("220 ")
            for client in (second, third, fourth):
                await client.close()

    async def test_a_silent_client_is_sent_away(self) -> None:
        async with listening(timeout=SHORT) as relay:
            client = await relay.client()
            assert (await client.reply()).startswith("421 4.4.2 ")
            assert await client.reply() == ""
            await client.close()

    async def test_a_client_silent_in_its_message_is_sent_away(self) -> None:
        async with listening(timeout=SHORT) as relay:
            client = await relay.logged_in()
            assert (await client.ask(MAIL + b"half a line", replies=3)).startswith("354 ")
            assert (await client.reply()).startswith("421 4.4.2 ")
            await client.close()
            assert relay.office.intake.messages == []

    async def test_a_store_that_takes_its_time_is_not_the_clients_silence(self) -> None:
        async with listening(timeout=SHORT) as relay:
            relay.office.intake.gate = asyncio.Event()
            client = await relay.logged_in()
            await client.say(WHOLE)
            await asyncio.wait_for(relay.office.intake.begun.wait(), 60)
            asyncio.get_running_loop().call_later(1.5 * SHORT / SECOND, relay.office.intake.gate.set)
            assert [(await client.reply())[:3] for _ in range(4)] == ["250", "250", "354", "250"]
            await client.close()


class TestStopping:
    async def test_who_has_nothing_begun_is_sent_away_at_once(self) -> None:
        async with listening() as relay:
            client = await relay.logged_in()
            relay.server.stop_listening()
            assert (await client.reply()).startswith("421 4.3.2 ")
            assert await client.reply() == ""
            await asyncio.wait_for(relay.server.drain(), 60)
            await client.close()

    async def test_who_has_begun_a_message_may_finish_it(self) -> None:
        async with listening() as relay:
            client = await relay.logged_in()
            assert (await client.ask(MAIL, replies=3)).startswith("354 ")
            draining = asyncio.create_task(relay.server.drain())
            assert (await client.ask(MESSAGE + b".\r\n")).startswith("250 ")
            assert (await client.reply()).startswith("421 4.3.2 ")
            await asyncio.wait_for(draining, 60)
            assert len(relay.office.intake.messages) == 1
            await client.close()

    async def test_nobody_comes_in_any_more(self) -> None:
        async with listening() as relay:
            relay.server.stop_listening()
            await asyncio.sleep(0)
            with pytest.raises(ConnectionError):
                await relay.client()

    async def test_each_step_may_be_asked_for_twice(self) -> None:
        async with listening() as relay:
            for _ in range(2):
                relay.server.stop_listening()
                await asyncio.wait_for(relay.server.drain(), 60)
                await asyncio.wait_for(relay.server.close(), 60)

    async def test_who_does_not_finish_is_cut_off(self) -> None:
        async with listening() as relay:
            client = await relay.logged_in()
            await client.ask(MAIL, replies=3)
            draining = asyncio.create_task(relay.server.drain())
            for _ in range(20):
                await asyncio.sleep(0)
            assert not draining.done()
            await asyncio.wait_for(relay.server.close(), 60)
            await asyncio.wait_for(draining, 60)
            assert relay.office.intake.messages == []
            await client.close()


async def test_a_listener_that_would_be_less_safe_than_it_says_is_not_started() -> None:
    for tls in (Tls.STARTTLS, Tls.IMPLICIT):
        with pytest.raises(ConfigError, match=r"127\.0\.0\.1:465.*needs a certificate"):
            async with listening(listener=ListenerSettings("127.0.0.1:465", tls=tls)):
                pass


class TestADefect:
    async def test_is_reported_and_ends_only_its_connection(self) -> None:
        async with listening() as relay:
            client, other = await relay.logged_in(), await relay.logged_in()
            relay.office.intake.trouble = ZeroDivisionError("a defect")
            assert (await client.ask(WHOLE, replies=4)) == "451 4.3.0 Error in the relay, try again later"
            assert await client.reply() == ""
            relay.office.intake.trouble = None
            assert (await other.ask(WHOLE, replies=4)).startswith("250 ")
            assert [str(error) for error in relay.office.observer.errors] == ["a defect"]
            relay.office.observer.errors.clear()
            for one in (client, other):
                await one.close()


SCENARIOS = [
    getattr(group(), name)
    for group in (TestBytes, TestHangingUp, TestBounds, TestStopping, TestADefect)
    for name in vars(group)
    if name.startswith("test_") and "leaves_nothing" not in name
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_the_same_holds_on_uvloop(scenario: Callable[[], Coroutine[None, None, None]]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())


async def test_a_login_refused_three_times_ends_the_connection() -> None:
    async with listening() as relay:
        client = await relay.client()
        assert (await client.ask(b"EHLO pc\r\n" + plain(password="x") * 3, replies=4)).startswith("421 4.7.0 ")
        assert await client.reply() == ""
        await client.close()
