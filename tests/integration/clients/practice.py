"""A practice with a relay of its own and a provider behind it, where every mail program that exists hands in its mail.

Law: both are the real processes; what a test finds in the provider's inbox went through every station of the relay.
"""

import asyncio
import email
import email.policy
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from relay.sandbox.certificates import CertificateFiles, make_certificates
from tests.integration.relay_process import Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

SENDER = "anna@d.test"
PASSWORD = 'p:a%s "w0rd$'
"""Signs that a careless client would have to escape."""

LISTENERS: tuple[str, ...] = ("none", "starttls", "implicit")
"""The kinds of listener, as `tls:` calls them."""


@dataclass(frozen=True, slots=True)
class Practice:
    """Relay, provider and what the provider keeps."""

    folder: Path
    relay: RelayProcess
    ports: dict[str, int]
    """By kind of listener."""
    certificates: CertificateFiles

    def raw_mail_to(self, recipient: str) -> bytes:
        """Waits for the only mail to this address; its octets as the provider got them."""
        found: list[bytes] = []
        wanted = f"\nTo: {recipient}\r\n".encode()

        def has_come(_: RelayProcess) -> bool:
            found[:] = [raw for raw in self.inbox() if wanted in raw]
            return bool(found)

        self.relay.wait_until(has_come)
        assert len(found) == 1
        return found[0]

    def mail_to(self, recipient: str) -> EmailMessage:
        """Waits for the only mail to this address, and reads it."""
        return email.message_from_bytes(self.raw_mail_to(recipient), policy=email.policy.default)

    def inbox(self) -> Iterator[bytes]:
        """Every mail that the provider keeps."""
        for file in (self.folder / "inbox").glob("*.eml"):
            yield file.read_bytes()


@contextmanager
def practice(path: Path, *logins: str, clients: dict[str, Any] | None = None) -> Iterator[Practice]:
    """Runs one with these logins, which share a password and may send as anybody of d.test."""
    with ExitStack() as stack:
        provider = SandboxProcess("--inbox", str(path / "inbox"))
        stack.callback(provider.kill)
        certificates = asyncio.run(make_certificates(path))
        folder = Folder(path, provider=provider.port)
        listen = [{"address": "127.0.0.1:0", "tls": kind} for kind in LISTENERS]
        folder.service["submission"] = {"listen": listen}
        if len(LISTENERS) > 1:
            files = {"certificate": str(certificates.certificate), "key": str(certificates.key)}
            folder.service["submission"] |= {"tls": files}
        known = {login: {"password": PASSWORD, "may_send_as": ["*@d.test"]} for login in logins}
        folder.routing["clients"] = known | (clients or {})
        folder.write()
        relay = RelayProcess(folder.config)
        stack.callback(relay.kill)
        relay.wait_until_ready()
        ports = [int(record["address"].rpartition(":")[2]) for record in relay.records if record.get("what") == "smtp"]
        yield Practice(path, relay, dict(zip(LISTENERS, ports, strict=True)), certificates)
