"""The relay as a process with all kinds of listeners: in clear, by STARTTLS and under TLS at once."""

import asyncio
import json
import shutil
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from relay.sandbox.certificates import CertificateFiles, make_certificates
from tests.integration.relay_process import PATIENCE, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

pytestmark = pytest.mark.needs("openssl")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[CertificateFiles, CertificateFiles]:
    """Two certificates, each with its own authority."""
    first, second = (asyncio.run(make_certificates(tmp_path_factory.mktemp(name))) for name in ("first", "second"))
    return first, second


class Practice:
    """A folder with a relay that has a listener of each kind."""

    def __init__(self, path: Path, stack: ExitStack, **listener: Any) -> None:
        self.path = path
        kinds = ("none", "starttls", "implicit")
        self.folder = Folder(path, provider=9)
        self.folder.service["submission"] = {
            "listen": [{"address": "127.0.0.1:0", "tls": kind, **listener} for kind in kinds],
            "tls": {"certificate": "c.pem", "key": "k.pem"},
        }
        self.folder.write()
        self._stack = stack

    def put(self, pair: CertificateFiles, *, key: CertificateFiles | None = None) -> None:
        """Renames a pair over the one before."""
        for source, name in ((pair.certificate, "c.pem"), ((key or pair).key, "k.pem")):
            shutil.copy(source, self.path / f"{name}.new")
            (self.path / f"{name}.new").rename(self.path / name)

    def provider(self, *options: str) -> SandboxProcess:
        running = SandboxProcess(*options)
        self._stack.callback(running.kill)
        return running

    def relay(self) -> RelayProcess:
        running = RelayProcess(self.folder.config)
        self._stack.callback(running.kill)
        return running


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    with ExitStack() as stack:
        yield Practice(tmp_path, stack)


def ports(relay: RelayProcess) -> list[int]:
    """Of the listeners in clear, with STARTTLS, under TLS."""
    listening = [record["address"] for record in relay.records if record["event"] == "listening"]
    return [int(address.rpartition(":")[2]) for address in listening[:3]]


def trusting(pair: CertificateFiles) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(pair.authority))


def hand_in(client: smtplib.SMTP) -> str:
    """Sends one mail; its id."""
    client.mail("anna@d.test")
    client.rcpt("paziente@example.org")
    code, reply = client.data(b"From: anna@d.test\r\n\r\nBuongiorno\r\n")
    assert code == 250, reply
    return reply.decode().rpartition(" ")[2]


def test_one_process_takes_mail_in_clear_by_starttls_and_under_tls(
    practice: Practice, pairs: tuple[CertificateFiles, CertificateFiles]
) -> None:
    first, _ = pairs
    practice.put(first)
    relay = practice.relay().wait_until_ready()
    clear, starttls, implicit = ports(relay)
    with smtplib.SMTP("localhost", clear, timeout=PATIENCE) as client:
        client.ehlo()
        assert not client.has_extn("starttls")
        idents = [hand_in(client)]
    with smtplib.SMTP("localhost", starttls, timeout=PATIENCE) as client:
        client.starttls(context=trusting(first))
        client.ehlo()
        idents.append(hand_in(client))
    with smtplib.SMTP_SSL("localhost", implicit, timeout=PATIENCE, context=trusting(first)) as client:
        client.ehlo()
        idents.append(hand_in(client))
    relay.wait_for("accepted", times=3)
    assert [record["id"] for record in relay.records if record["event"] == "accepted"] == idents
    assert relay.complaints == []
    assert relay.stop() == 0


def test_a_renewed_certificate_is_shown_without_a_restart_and_drops_nobody(
    practice: Practice, pairs: tuple[CertificateFiles, CertificateFiles]
) -> None:
    first, second = pairs
    practice.put(first)
    relay = practice.relay().wait_until_ready()
    _, _, implicit = ports(relay)
    with smtplib.SMTP_SSL("localhost", implicit, timeout=PATIENCE, context=trusting(first)) as staying:
        staying.ehlo()
        practice.put(second, key=first)
        assert "is not the key of" in relay.wait_for("certificate_refused")["problem"]
        status, said = relay.get("/readyz")
        assert status == 200, "clients are served with the certificate before"
        assert [problem["what"] for problem in json.loads(said)["problems"]] == ["tls-certificate"]
        practice.put(second)
        relay.wait_for("certificate_applied", times=2)
        assert json.loads(relay.get("/readyz")[1])["problems"] == []
        with smtplib.SMTP_SSL("localhost", implicit, timeout=PATIENCE, context=trusting(second)) as new:
            new.ehlo()
            hand_in(new)
        hand_in(staying)


def test_a_handshake_that_fails_is_one_line_of_the_log_and_counted(
    practice: Practice, pairs: tuple[CertificateFiles, CertificateFiles]
) -> None:
    first, second = pairs
    practice.put(first)
    relay = practice.relay().wait_until_ready()
    _, _, implicit = ports(relay)
    with pytest.raises(ssl.SSLCertVerificationError):
        smtplib.SMTP_SSL("localhost", implicit, timeout=PATIENCE, context=trusting(second))
    line = relay.wait_for("handshake_failed")
    assert (line["listener"], line["peer"]) == ("127.0.0.1:0", "127.0.0.1")
    assert relay.metric('relay_tls_handshakes_failed_total{listener="127.0.0.1:0"}') == 1
    assert relay.count("failed") == relay.count("trouble") == 0
    assert relay.complaints == []


@pytest.mark.parametrize(("policy", "refusing"), [("reject", True), ("hold", False)])
def test_mail_of_a_paused_mailbox_is_put_off_or_held_as_its_account_says(
    practice: Practice, policy: str, refusing: bool
) -> None:
    provider = practice.provider("--fault", "refuse-auth:1")
    practice.folder.routing["providers"]["lab"]["port"] = provider.port
    practice.folder.routing["accounts"]["anna@d.test"]["on_paused"] = policy
    practice.folder.service["contact"] = "Call 0974"
    practice.folder.service["submission"] = {"listen": [{"address": "127.0.0.1:0", "tls": "none"}]}
    practice.folder.write()
    relay = practice.relay().wait_until_ready()
    relay.send()
    relay.wait_for("health_changed", health="auth-rejected")
    if not refusing:
        assert len(relay.send()) == 1
        return
    with (
        pytest.raises(smtplib.SMTPDataError) as told,
        smtplib.SMTP("127.0.0.1", relay.smtp, timeout=PATIENCE) as client,
    ):
        client.sendmail("anna@d.test", ["paziente@example.org"], b"From: anna@d.test\r\n\r\n")
    assert told.value.smtp_code == 450
    assert "Mail of anna@d.test has not been leaving since" in str(told.value.smtp_error)
    assert "Call 0974" in str(told.value.smtp_error)
    assert relay.send(sender="bruno@d.test"), "the others' mail is taken"
    assert relay.wait_for("refused", stage="eod")["account"] == "anna@d.test"


def test_a_relay_without_a_usable_certificate_does_not_start(practice: Practice) -> None:
    (practice.path / "c.pem").write_text("no certificate")
    (practice.path / "k.pem").write_text("no key")
    relay = practice.relay()
    assert relay.wait() == 1
    assert "are not a certificate with its key in PEM" in "".join(relay.lines)
    assert relay.count("listening") == 0
    assert not any("Traceback" in line for line in relay.lines)
