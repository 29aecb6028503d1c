"""The ticket for aruba's support: the letter names a command, and the command prints what they ask for."""

import json
import os
import re
import subprocess
import sys
import time
from contextlib import ExitStack
from email import message_from_bytes, policy
from pathlib import Path

from tests.integration.relay_process import PATIENCE, ROOT, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

PATIENT, VENDOR = "paziente@example.org", "vendita@altrove.test"
SPAM = f"eod@anna@d.test:552 5.2.0 message for <{PATIENT}> from smtpdh18-12 spam detected*1"


def letter_to(inbox: Path, reader: str) -> str:
    """The text of the first mail to this reader that the provider took."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for file in sorted(inbox.rglob("*")):
            if file.is_file() and reader.encode() in (content := file.read_bytes()):
                body = message_from_bytes(content, policy=policy.default).get_body()
                assert body is not None
                return " ".join(str(body.get_content()).split())
        time.sleep(0.1)
    raise AssertionError("nobody was told")


def printed(folder: Folder, command: str) -> str:
    """What a command of a letter prints, typed as it stands there."""
    assert command.startswith("relay ")
    found = subprocess.run(
        [sys.executable, "-c", "from relay.cli import main; main()", *command.split()[1:]],
        env={**os.environ, "PYTHONPATH": str(ROOT), "RELAY_CONFIG": str(folder.config), "COLUMNS": "300"},
        capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    return found.stdout


def test_what_the_letter_says_to_type_prints_what_the_support_asks_for(tmp_path: Path) -> None:
    with ExitStack() as stack:
        inbox = tmp_path / "inbox"
        provider = SandboxProcess("--inbox", str(inbox), "--reply", SPAM)
        stack.callback(provider.kill)
        folder = Folder(
            tmp_path, provider=provider.port, language="it", notices={"from": "vendor@d.test", "postmaster": VENDOR}
        )
        here = {"profile": "aruba", "host": "127.0.0.1", "port": provider.port, "tls": "none"}
        folder.routing["providers"]["aruba"] = here
        folder.routing["accounts"]["anna@d.test"] |= {"provider": "aruba", "plan": "business"}
        folder.write()
        relay = RelayProcess(folder.config)
        stack.callback(relay.kill)
        relay.wait_until_ready()
        folder.service["http"] = {"listen": f"127.0.0.1:{relay.http}"}
        folder.config.write_text(json.dumps(folder.service))
        (ident,) = relay.send(to=PATIENT)
        relay.wait_for("bounced", id=ident)

        told = letter_to(inbox, VENDOR)
        assert "mittente anna@d.test, destinatario nel dominio example.org, " in told
        assert PATIENT not in told, "a ticket names no patient before somebody puts one into it"
        (command,) = re.findall(r"copiarla da `([^`]+)`", told)
        said = printed(folder, command)
        assert f"552 5.2.0 message for <{PATIENT}> from smtpdh18-12 spam detected" in said
        assert "sent as anna@d.test" in said
        assert "to a recipient at example.org, eod, spam-blocked:" in said
        logged = relay.wait_for("reply_unmasked", id=ident)
        assert (logged["account"], logged["by"]) == ("anna@d.test", "admin")
        plain = printed(folder, f"relay explain {ident}")
        assert "(spam-blocked): 552 5.2.0 " in plain
        assert PATIENT not in plain + "".join(relay.lines)
        relay.stop()
    assert relay.count("reply_unmasked") == 1, "who asks for the masked one reads nothing unmasked"
