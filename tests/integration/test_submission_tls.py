"""Clients that come under TLS, at once or by STARTTLS, over real sockets, on the standard event loop and on uvloop."""

import asyncio
import smtplib
import socket
import ssl
import struct
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
import uvloop

from relay.core.limits import SECOND
from relay.core.routing import Tls
from relay.sandbox.certificates import CertificateFiles, make_certificates
from relay.submission import Certificate, ListenerSettings, door, encryption, read_certificate
from relay.vault import expiry_of
from tests.fakes.submission import by_address, practice
from tests.integration.submission_peer import LOGIN, Relay, listening
from tests.unit.submission.dialogue import MAIL, MESSAGE

WHOLE = MAIL + MESSAGE + b".\r\n"
STARTTLS = ListenerSettings("127.0.0.1:587", tls=Tls.STARTTLS)
TLS_ALERT = b"\x15"
IMPLICIT = ListenerSettings("127.0.0.1:465", tls=Tls.IMPLICIT)

pytestmark = pytest.mark.needs("openssl")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    return asyncio.run(make_certificates(tmp_path_factory.mktemp("tls")))


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Callable[[], Coroutine[None, None, None]]], None]:
    """Runs a scenario on each of the two event loops."""

    def runner(scenario: Callable[[], Coroutine[None, None, None]]) -> None:
        with asyncio.Runner(loop_factory=request.param) as made:
            made.run(scenario())

    return runner


def shown(files: CertificateFiles) -> Certificate:
    return read_certificate(files.certificate, files.key, expiry_of)


def trusting(files: CertificateFiles) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(files.authority))


def tls_of(files: CertificateFiles) -> Callable[[], ssl.SSLContext]:
    certificate = shown(files)
    return lambda: certificate.context


class TestImplicit:
    def test_a_client_logs_in_and_sends(self, run, files: CertificateFiles) -> None:
        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=IMPLICIT) as relay:
                client = await relay.client(ssl=trusting(files), server_hostname="localhost")
                assert client.banner == "220 relay.example.it ESMTP"
                offer = await client.ask(b"EHLO pc\r\n")
                assert "AUTH PLAIN LOGIN" in offer
                assert "STARTTLS" not in offer
                assert (await client.ask(LOGIN + WHOLE, replies=6)).startswith("250 2.0.0 Ok: queued as m-1")
                assert (await client.ask(b"QUIT\r\n")).startswith("221 ")
                assert await client.reply() == ""
                await client.close()
                stored = relay.office.intake.messages[0]
                assert stored.content.startswith(b"Received: by relay.example.it with ESMTPSA id m-1;")

        run(scenario)

    def test_a_large_message_arrives_byte_for_byte(self, run, files: CertificateFiles) -> None:
        body = b"".join(b"%d \xff\r\n" % number for number in range(200_000))

        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=IMPLICIT) as relay:
                await asyncio.to_thread(send, relay.port, body)
                assert relay.office.intake.messages[0].content.endswith(body)

        def send(port: int, body: bytes) -> None:
            with smtplib.SMTP_SSL("localhost", port, timeout=60, context=trusting(files)) as client:
                client.login("studio", "secret")
                client.sendmail("m.rossi@d.test", ["p@x.test"], MESSAGE + body)

        run(scenario)

    def test_a_handshake_that_came_in_one_piece_with_more_is_understood(self, run, files: CertificateFiles) -> None:
        """The client's first octets are there before the relay looks at the connection, however they are cut."""

        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=IMPLICIT) as relay:
                for cut in (1, 5, 6, 100, 100_000):
                    assert await asyncio.to_thread(greet_cut, relay.port, cut) == b"220 relay.example.it ESMTP\r\n"

        def greet_cut(port: int, cut: int) -> bytes:
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = trusting(files).wrap_bio(incoming, outgoing, server_hostname="localhost")
            with socket.create_connection(("127.0.0.1", port), 20) as plain:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while True:
                    try:
                        return tls.read(100)
                    except ssl.SSLWantReadError:
                        said = outgoing.read()
                        plain.sendall(said[:cut])
                        plain.sendall(said[cut:])
                        incoming.write(plain.recv(65_536))

        run(scenario)

    def test_half_closed_after_quit_the_message_is_stored_all_the_same(self, run, files: CertificateFiles) -> None:
        """TLS ends both ways at once, so the client cannot be told; what it had handed in is safe."""

        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=IMPLICIT) as relay:
                relay.office.intake.gate = asyncio.Event()
                client = await relay.client(ssl=trusting(files), server_hostname="localhost")
                await client.say(LOGIN + WHOLE + b"QUIT\r\n")
                await asyncio.wait_for(relay.office.intake.begun.wait(), 20)
                closing = asyncio.create_task(client.close())
                await asyncio.sleep(0)
                relay.office.intake.gate.set()
                await asyncio.wait_for(closing, 20)
                await asyncio.wait_for(relay.server.drain(), 20)
                assert len(relay.office.intake.messages) == 1
                assert len(relay.office.observer.told("accepted")) == 1

        run(scenario)

    def test_who_is_in_the_middle_of_a_handshake_does_not_hold_up_the_stop(self, run, files: CertificateFiles) -> None:
        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=IMPLICIT) as relay:
                _, writer = await asyncio.open_connection("127.0.0.1", relay.port)
                await relay.office.observer.until("connected")
                await asyncio.wait_for(relay.server.drain(), 20)
                writer.close()

        run(scenario)


class TestStarttls:
    def test_is_offered_and_a_client_logs_in_and_sends_under_it(self, run, files: CertificateFiles) -> None:
        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=STARTTLS) as relay:
                client = await relay.client()
                assert "STARTTLS" in (await client.ask(b"EHLO pc\r\n")).replace("250-", "").split("\n")
                assert await client.ask(b"STARTTLS\r\n") == "220 2.0.0 Ready for TLS"
                await client.start_tls(files.authority)
                offer = (await client.ask(b"EHLO pc\r\n")).replace("250-", "").split("\n")
                assert "STARTTLS" not in offer
                assert "AUTH PLAIN LOGIN" in offer
                assert (await client.ask(LOGIN + WHOLE, replies=6)).startswith("250 2.0.0 Ok: queued as m-1")
                await client.close()
                assert b" with ESMTPSA id m-1;" in relay.office.intake.messages[0].content

        run(scenario)

    def test_smtplib_and_its_handshake(self, run, files: CertificateFiles) -> None:
        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=STARTTLS) as relay:
                await asyncio.to_thread(send, relay.port)
                assert len(relay.office.intake.messages) == 1

        def send(port: int) -> None:
            with smtplib.SMTP("localhost", port, timeout=60) as client:
                client.starttls(context=trusting(files))
                client.login("studio", "secret")
                client.sendmail("m.rossi@d.test", ["p@x.test"], MESSAGE)

        run(scenario)

    def test_what_was_sent_in_clear_behind_it_is_never_obeyed(self, run, files: CertificateFiles) -> None:
        """Command injection: whoever sits in between adds commands that the encrypted session would answer."""

        async def scenario() -> None:
            async with listening(practice(by_address()), tls=tls_of(files), listener=STARTTLS) as relay:
                client = await relay.client()
                await client.ask(b"EHLO pc\r\n")
                assert (await client.ask(b"STARTTLS\r\nNOOP\r\n" + LOGIN + WHOLE + b"half a comm")).startswith("220 ")
                await client.start_tls(files.authority)
                assert await client.ask(b"HELP\r\n") == "214 2.0.0 EHLO AUTH MAIL RCPT DATA RSET NOOP QUIT"
                assert (await client.ask(b"QUIT\r\n")).startswith("221 ")
                await client.close()
                assert relay.office.intake.messages == []

        run(scenario)

    def test_what_was_said_in_clear_before_it_is_forgotten(self, run, files: CertificateFiles) -> None:
        """Greeting, login and transaction: whoever sits in between may have said them."""

        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=STARTTLS) as relay:
                client = await relay.logged_in()
                assert (await client.ask(MAIL[:28] + b"STARTTLS\r\n", replies=2)).startswith("220 ")
                await client.start_tls(files.authority)
                assert (await client.ask(b"RCPT TO:<p@x.test>\r\n")).startswith("530 5.7.0 ")
                assert (await client.ask(b"AUTH PLAIN =\r\n")).startswith("503 5.5.1 ")
                assert (await client.ask(b"EHLO pc\r\n")).startswith("250-")
                assert (await client.ask(MAIL[:28])).startswith("530 5.7.0 ")
                assert (await client.ask(LOGIN + WHOLE, replies=6)).startswith("250 ")
                await client.close()

        run(scenario)

    def test_twice_is_the_wrong_order(self, run, files: CertificateFiles) -> None:
        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=STARTTLS) as relay:
                client = await relay.handshaken(files.authority)
                assert await client.ask(b"STARTTLS\r\n") == "503 5.5.1 Wrong order: TLS is on already"
                assert (await client.ask(LOGIN + WHOLE, replies=6)).startswith("250 ")
                await client.close()

        run(scenario)

    def test_everything_at_once_under_it_is_answered_in_order(self, run, files: CertificateFiles) -> None:
        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=STARTTLS) as relay:
                client = await relay.handshaken(files.authority)
                await client.say(LOGIN + WHOLE + WHOLE + b"QUIT\r\n")
                found = [(await client.reply())[:3] for _ in range(11)]
                assert found == ["250", "235", *["250", "250", "354", "250"] * 2, "221"]
                assert await client.reply() == ""
                await client.close()

        run(scenario)


class TestAHandshakeThatFails:
    def test_is_told_once_with_its_cause_and_harms_nobody(self, run, files: CertificateFiles) -> None:
        async def scenario() -> None:
            for listener in (IMPLICIT, STARTTLS):
                async with listening(tls=tls_of(files), listener=listener) as relay:
                    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
                    if listener is STARTTLS:
                        writer.write(b"EHLO pc\r\nSTARTTLS\r\n")
                        while not (await reader.readline()).startswith(b"220 2.0.0"):
                            pass
                    writer.write(b"EHLO this is no TLS\r\n" * 10)
                    assert await silent(reader)
                    writer.close()
                    await asyncio.wait_for(relay.office.observer.somebody_left.wait(), 20)
                    told = relay.office.observer.told("handshake_failed")
                    assert [(one["listener"], one["peer"]) for one in told] == [(listener.name, "127.0.0.1")]
                    assert told[0]["cause"] in {"wrong version number", "http request", "unknown protocol"}

        run(scenario)

    def test_because_the_client_does_not_trust_the_certificate(self, run, files: CertificateFiles) -> None:
        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=IMPLICIT) as relay:
                with pytest.raises(ssl.SSLCertVerificationError):
                    await relay.client(ssl=ssl.create_default_context(), server_hostname="localhost")
                await asyncio.wait_for(relay.office.observer.somebody_left.wait(), 20)
                other = await relay.client(ssl=trusting(files), server_hostname="localhost")
                assert other.banner.startswith("220 ")
                await other.close()

        run(scenario)

    def test_because_the_client_speaks_nothing_newer_than_tls_1_1(self, run, files: CertificateFiles) -> None:
        old = trusting(files)
        with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
            old.minimum_version = ssl.TLSVersion.TLSv1
        with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")

        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=IMPLICIT) as relay:
                with pytest.raises((ssl.SSLError, ConnectionError)):
                    await relay.client(ssl=old, server_hostname="localhost")
                await asyncio.wait_for(relay.office.observer.somebody_left.wait(), 20)
                assert len(relay.office.observer.told("handshake_failed")) == 1

        run(scenario)

    @pytest.mark.parametrize("listener", [IMPLICIT, STARTTLS], ids=["implicit", "starttls"])
    def test_because_nothing_comes_for_too_long(
        self, run, files: CertificateFiles, listener: ListenerSettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(encryption, "HANDSHAKE_SECONDS", 0.3)

        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=listener) as relay:
                reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
                if listener is STARTTLS:
                    writer.write(b"STARTTLS\r\n")
                    await reader.readline()
                    await reader.readline()
                assert await silent(reader)
                await asyncio.wait_for(relay.office.observer.somebody_left.wait(), 20)
                assert [one["cause"] for one in relay.office.observer.told("handshake_failed")] == [
                    "the client took too long"
                ]
                writer.close()

        run(scenario)

    @pytest.mark.parametrize("listener", [IMPLICIT, STARTTLS], ids=["implicit", "starttls"])
    def test_because_the_client_hangs_up(self, run, files: CertificateFiles, listener: ListenerSettings) -> None:
        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=listener) as relay:
                reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
                if listener is STARTTLS:
                    writer.write(b"STARTTLS\r\n")
                    await reader.readline()
                    await reader.readline()
                else:
                    await relay.office.observer.until("connected")
                writer.close()
                await asyncio.wait_for(relay.office.observer.somebody_left.wait(), 20)
                assert len(relay.office.observer.told("handshake_failed")) == 1

        run(scenario)


class TestAFlood:
    @pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x02\x00\x01\x00"])
    @pytest.mark.parametrize("listener", [IMPLICIT, STARTTLS], ids=["implicit", "starttls"])
    def test_of_connections_that_are_reset_at_any_moment_is_no_defect(
        self, run, files: CertificateFiles, listener: ListenerSettings, said: bytes
    ) -> None:
        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=listener) as relay:
                for number in range(100):
                    _, writer = await asyncio.open_connection("127.0.0.1", relay.port)
                    writer.write((b"STARTTLS\r\n" if listener is STARTTLS else b"") + said)
                    hard = writer.get_extra_info("socket")
                    hard.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    for _ in range(number % 7):
                        await asyncio.sleep(0)
                    writer.transport.abort()
                await asyncio.wait_for(relay.server.drain(), 60)
                assert relay.office.observer.errors == []

        run(scenario)

    def test_behind_starttls_is_no_handshake(self, run, files: CertificateFiles) -> None:
        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=STARTTLS) as relay:
                client = await relay.client()
                client.writer.write(b"STARTTLS\r\n" + b"NOOP\r\n" * 200_000)
                await relay.office.observer.until("disconnected")
                assert len(relay.office.observer.told("handshake_failed")) == 1
                client.writer.transport.abort()

        run(scenario)

    def test_of_handshakes_that_never_end_makes_room_for_one_that_does(
        self, run, files: CertificateFiles, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(door, "STRANGER_SECONDS", 0.0)

        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=IMPLICIT, max_connections=2) as relay:
                hanging = [(await asyncio.open_connection("127.0.0.1", relay.port))[1] for _ in range(2)]
                await relay.office.observer.until("connected", 2)
                client = await relay.client(ssl=trusting(files), server_hostname="localhost")
                assert client.banner.startswith("220 ")
                for one in hanging:
                    one.close()
                await client.close()

        run(scenario)


class TestACertificateThatChanges:
    def test_is_shown_to_the_next_client_and_drops_nobody(self, run, files: CertificateFiles, tmp_path: Path) -> None:
        async def scenario() -> None:
            other = await make_certificates(tmp_path)
            pair = [shown(files)]
            async with listening(tls=lambda: pair[0].context, listener=IMPLICIT) as relay:
                before = await relay.client(ssl=trusting(files), server_hostname="localhost")
                pair[0] = shown(other)
                after = await relay.client(ssl=trusting(other), server_hostname="localhost")
                for client in (before, after):
                    assert (await client.ask(LOGIN + WHOLE, replies=6)).startswith("250 ")
                    await client.close()

        run(scenario)


class TestSilence:
    def test_under_tls_is_ended_as_in_clear(self, run, files: CertificateFiles) -> None:
        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=IMPLICIT, timeout=3 * SECOND) as relay:
                client = await relay.client(ssl=trusting(files), server_hostname="localhost")
                assert (await client.reply()).startswith("421 4.4.2 ")
                assert await client.reply() == ""
                await client.close()

        run(scenario)

    def test_stopping_sends_a_resting_client_away(self, run, files: CertificateFiles) -> None:
        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=IMPLICIT) as relay:
                client = await relay.client(ssl=trusting(files), server_hostname="localhost")
                relay.server.stop_listening()
                assert (await client.reply()).startswith("421 4.3.2 ")
                await client.close()
                await asyncio.wait_for(relay.server.drain(), 20)

        run(scenario)


async def silent(reader: asyncio.StreamReader) -> bool:
    """Whether the server hangs up with nothing more than an alert of TLS."""
    try:
        said = await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        return True
    return said == b"" or said[:1] == TLS_ALERT


class TestOpenssl:
    """What `openssl s_client` sees, as an admin would look."""

    async def look(self, relay: Relay, files: CertificateFiles, *options: str, said: bytes, after: bytes = b"") -> str:
        """All that it shows, when it is told this after that was shown."""
        process = await asyncio.create_subprocess_exec(
            "openssl", "s_client", "-connect", f"127.0.0.1:{relay.port}", "-CAfile", str(files.authority),
            "-verify_return_error", "-crlf", *options,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        assert process.stdout is not None
        try:
            shown = b""
            while after not in shown:
                line = await asyncio.wait_for(process.stdout.readline(), 60)
                assert line, shown  # it ended
                shown += line
            rest, _ = await asyncio.wait_for(process.communicate(said), 60)
        except TimeoutError:
            process.kill()
            await process.communicate()
            raise
        return (shown + rest).decode(errors="replace")

    @pytest.mark.parametrize("version", ["1.2", "1.3"])
    @pytest.mark.parametrize("listener", [IMPLICIT, STARTTLS], ids=["implicit", "starttls"])
    def test_both_versions_are_spoken(
        self, run, files: CertificateFiles, listener: ListenerSettings, version: str
    ) -> None:
        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=listener) as relay:
                options: tuple[str, ...] = ("-starttls", "smtp") if listener is STARTTLS else ()
                options += ("-ign_eof", f"-tls{version.replace('.', '_')}")
                shown = await self.look(relay, files, *options, said=b"QUIT\n")
                assert f"TLSv{version}" in shown
                assert "Verify return code: 0 (ok)" in shown
                assert "221 2.0.0 Bye" in shown

        run(scenario)

    def test_nothing_is_negotiated_a_second_time(self, run, files: CertificateFiles) -> None:
        """A client that asks for it over and over would have the relay compute for nothing."""

        async def scenario() -> None:
            async with listening(tls=tls_of(files), listener=IMPLICIT) as relay:
                shown = await self.look(relay, files, "-tls1_2", said=b"R\n", after=b"220 relay")
                assert "RENEGOTIATING" in shown
                assert "no renegotiation" in shown
                await relay.office.observer.until("disconnected")
                client = await relay.client(ssl=trusting(files), server_hostname="localhost")
                assert client.banner.startswith("220 ")
                await client.close()

        run(scenario)
