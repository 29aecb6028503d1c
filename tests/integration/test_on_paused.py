"""`on_paused` holds for whatever the API calls paused: also what is no mailbox's own health."""

import json
import smtplib
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.relay_process import PATIENCE, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

JITTER = timedelta(seconds=2)
"""By as much may one moment differ in two answers: it is told by the wall clock of each."""

CONTENT = b"From: anna@d.test\r\n\r\nBuongiorno\r\n"


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def folder_of(path: Path, stack: ExitStack) -> Folder:
    provider = SandboxProcess()
    stack.callback(provider.kill)
    folder = Folder(path, provider=provider.port)
    folder.routing["accounts"]["anna@d.test"]["on_paused"] = "reject"
    folder.service["contact"] = "Call 0974"
    return folder


def started(folder: Folder, stack: ExitStack) -> RelayProcess:
    folder.write()
    relay = RelayProcess(folder.config)
    stack.callback(relay.kill)
    return relay.wait_until_ready()


def order(relay: RelayProcess, folder: Folder, what: str) -> None:
    token = (folder.path / "var" / "admin.token").read_text().strip()
    request = urllib.request.Request(
        f"http://127.0.0.1:{relay.http}/api/v1/accounts/anna@d.test/{what}",
        headers={"Authorization": f"Bearer {token}"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert answer.status == 200


def handed_in(relay: RelayProcess, sender: str = "anna@d.test", *, header: bytes = b"") -> str:
    """The reply to the dot."""
    with smtplib.SMTP("127.0.0.1", relay.smtp, timeout=PATIENCE) as client:
        client.ehlo()
        client.mail(sender)
        client.rcpt("paziente@example.org")
        code, said = client.data(header + CONTENT.replace(b"anna@d.test", sender.encode()))
        return f"{code} {said.decode()}"


def put_off(relay: RelayProcess, why: str) -> None:
    said = handed_in(relay)
    assert said.startswith("450 4.7.0 Mail of anna@d.test has not been leaving since "), said
    assert f": {why}" in said
    assert said.endswith("Call 0974")


def shown(relay: RelayProcess, folder: Folder) -> tuple[str, datetime]:
    """Health of the account, and since when, as the API has them."""
    token = (folder.path / "var" / "admin.token").read_text().strip()
    found = json.loads(relay.get("/api/v1/accounts/anna@d.test", token=token)[1])
    return found["health"], datetime.fromisoformat(found["since"])


def test_an_account_without_credentials(tmp_path: Path, stack: ExitStack) -> None:
    folder = folder_of(tmp_path, stack)
    (folder.path / "anna@d.test.password").unlink()
    relay = started(folder, stack)
    put_off(relay, "no password is known here for your mailbox.")
    assert handed_in(relay, "bruno@d.test").startswith("250 "), "the others' mail is taken"
    health, since = shown(relay, folder)
    assert health == "paused"
    relay.stop()
    relay = started(folder, stack)
    put_off(relay, "no password is known here for your mailbox.")
    assert abs(shown(relay, folder)[1] - since) < JITTER, "a restart begins nothing anew"


def test_an_account_that_an_admin_paused(tmp_path: Path, stack: ExitStack) -> None:
    folder = folder_of(tmp_path, stack)
    relay = started(folder, stack)
    order(relay, folder, "pause")
    put_off(relay, "sending from your mailbox was paused by hand.")
    order(relay, folder, "resume")
    assert handed_in(relay).startswith("250 ")


def test_an_account_whose_provider_offers_no_encryption(tmp_path: Path, stack: ExitStack) -> None:
    folder = folder_of(tmp_path, stack)
    folder.routing["providers"]["lab"]["tls"] = "starttls"
    relay = started(folder, stack)
    assert handed_in(relay, "bruno@d.test").startswith("250 ")
    relay.wait_for("health_changed", mailbox=None, health="tls-not-offered")
    put_off(relay, "there is no safe connection to your mail provider")
    assert handed_in(relay, "bruno@d.test").startswith("250 "), "who did not ask for it is held for his 4 hours"


def test_an_outage_that_heals_by_itself_puts_nothing_off(tmp_path: Path, stack: ExitStack) -> None:
    folder = folder_of(tmp_path, stack)
    folder.routing["providers"]["lab"]["port"] = 9
    relay = started(folder, stack)
    assert handed_in(relay).startswith("250 ")
    relay.wait_for("health_changed", mailbox=None, health="network")
    assert handed_in(relay).startswith("250 ")


def test_a_forecast_does_not_count_on_a_probe_of_what_somebody_has_to_mend(tmp_path: Path, stack: ExitStack) -> None:
    folder = folder_of(tmp_path, stack)
    provider = SandboxProcess("--fault", "refuse-auth:1")
    stack.callback(provider.kill)
    folder.service["language"] = "it"
    folder.routing["providers"]["lab"]["port"] = provider.port
    folder.routing["accounts"]["anna@d.test"]["on_paused"] = "hold"
    folder.routing["accounts"]["bruno@d.test"] |= {"on_paused": "hold", "late": "reject"}
    relay = started(folder, stack)
    day = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    header = f"X-Relay-Valid-Until: {day} 12:00\r\n".encode()
    for sender in ("anna@d.test", "bruno@d.test"):
        assert "queued" in handed_in(relay, sender, header=header)
        relay.wait_for("health_changed", mailbox=sender, health="auth-rejected")
    said = handed_in(relay, header=header)
    assert said.startswith("250 2.0.0 Ok: queued as ")
    shown = f"{day[8:]}/{day[5:7]}/{day[:4]}"
    assert (
        f"; partirebbe solo dopo un intervento (la password della Sua casella e' stata rifiutata), dopo la sua "
        f"scadenza {shown} 12:00 " in said
    )
    assert handed_in(relay, "bruno@d.test", header=header).startswith("550 5.4.7 ")
    assert handed_in(relay, "bruno@d.test").startswith("250 "), "what has no deadline cannot miss one"
