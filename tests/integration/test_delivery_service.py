"""The relay before a provider whose encryption is wrong: its admin reads why, and mends it in the routing."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from relay.core.meaning import Fault
from tests.integration.relay_process import Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess
from tests.misfortune.certificates import make


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def started(stack: ExitStack, path: Path, **provider: object) -> tuple[Folder, RelayProcess]:
    """A relay whose provider shows a certificate of a private authority, for `localhost`."""
    files = make(path)
    shows = ["--certificate", str(files.certificate), "--key", str(files.key)]
    sandbox = SandboxProcess("--tls", "starttls", *shows, "--inbox", str(path / "inbox"))
    stack.callback(sandbox.kill)
    folder = Folder(path, provider=sandbox.port)
    folder.routing["providers"]["lab"] |= {"host": "localhost", "tls": "starttls", **provider}
    folder.write()
    relay = RelayProcess(folder.config)
    stack.callback(relay.kill)
    return folder, relay.wait_until_ready()


def test_an_admin_reads_what_is_wrong_and_the_mail_leaves_when_it_is_mended(stack: ExitStack, tmp_path: Path) -> None:
    folder, relay = started(stack, tmp_path)
    (ident,) = relay.send()
    failure = relay.wait_for("login_failed", mailbox="anna@d.test")
    assert (failure["class"], failure["reason"]) == ("tls-required", Fault.TLS_UNTRUSTED)
    assert relay.wait_for("health_changed", provider="lab")["health"] == Fault.TLS_UNTRUSTED
    token = (tmp_path / "var" / "admin.token").read_text().strip()
    (delivery,) = json.loads(relay.get(f"/api/v1/messages/{ident}", token=token)[1])["deliveries"]
    assert (delivery["state"], delivery["reason"], delivery["needs"]) == ("held", Fault.TLS_UNTRUSTED, "admin")
    assert not list((tmp_path / "inbox").glob("*.eml"))
    folder.routing["providers"]["lab"]["tls_ca"] = "authority.pem"
    folder.write()
    relay.wait_for("delivered", id=ident)
    assert relay.count("bounced") == 0


def test_a_wrong_name_is_told_apart(stack: ExitStack, tmp_path: Path) -> None:
    _, relay = started(stack, tmp_path, host="127.0.0.1", tls_ca="authority.pem")
    relay.send()
    assert relay.wait_for("login_failed")["reason"] == Fault.TLS_WRONG_NAME
