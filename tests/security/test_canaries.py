"""Secrets and patients stay where they belong: a run full of planted words, and then every place where one could sing.

Law: the planted words are looked for as they are, in base64 at each of its three alignments, and percent-encoded; in
the log, metrics, pages, queue files and the process list, with the interpreter's own debugging switched on.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.integration.relay_process import PATIENCE, ROOT, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

CLIENT_PASSWORD = "CanarinoChiave1"
MAILBOX_PASSWORD = "CanarinoCasella2"
WRONG_PASSWORD = "CanarinoSbagliata3"
PASSWORD_AS_LOGIN = "CanarinoUtente4"
PATIENT = "canarino.paziente"
STORED_PASSWORD = "CanarinoSerbata5"
REFRESH_TOKEN = "CanarinoGettone6"
CLIENT_SECRET = "CanarinoCliente7"
SUBJECT, FILE, TEXT, ENVELOPE_ID = "CanarinoOggetto", "CanarinoReferto", "CanarinoTesto", "CanarinoBusta"
MESSAGE_ID = "CanarinoMessaggio"

SECRETS = (
    *(CLIENT_PASSWORD, MAILBOX_PASSWORD, WRONG_PASSWORD, PASSWORD_AS_LOGIN),
    *(STORED_PASSWORD, REFRESH_TOKEN, CLIENT_SECRET),
)
PATIENTS = (PATIENT, SUBJECT, FILE, TEXT, ENVELOPE_ID)

TO = f"{PATIENT}@ospedale.example"
WORDINGS = (
    f"User {PATIENT} unknown",
    f"<{PATIENT.upper()}>: Recipient address rejected",
    f"{PATIENT}%ospedale.example unknown",
    f"no mailbox {PATIENT}@ for {MAILBOX_PASSWORD}",
)
MAIL = f"""From: anna@d.test\r
To: "Canarino Paziente" <{TO}>\r
Subject: {SUBJECT}\r
Message-ID: <{MESSAGE_ID}@d.test>\r
Content-Disposition: attachment; filename={FILE}.pdf\r
\r
{TEXT}\r
""".encode()


def spellings(word: str) -> Iterator[bytes]:
    """A word as it may hide: in both cases, and inside base64."""
    plain = word.encode()
    yield from (plain, plain.lower(), plain.upper())
    for shift in range(3):
        coded = b64encode(b"\0" * shift + plain)
        yield coded[4 if shift else 0 : -4]


def found_in(place: bytes, words: tuple[str, ...]) -> list[str]:
    """The words that can be read there."""
    return [word for word in words if any(spelling in place for spelling in spellings(word))]


class Gossip:
    """A client that says its secrets in every wrong place; each line gets one reply."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._file = self._socket.makefile("rb")
        self.reply()

    def reply(self) -> str:
        lines = []
        while line := self._file.readline().decode("ascii"):
            lines.append(line)
            if line[3:4] == " ":
                break
        return "".join(lines)

    def ask(self, said: str | bytes) -> str:
        self._socket.sendall((said if isinstance(said, bytes) else said.encode()) + b"\r\n")
        return self.reply()

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def plain(login: str, password: str) -> str:
    return "AUTH PLAIN " + b64encode(f"\0{login}\0{password}".encode()).decode()


def gossip(port: int) -> list[str]:
    """Everything that a confused client could say; what it was told."""
    told = []
    scripts: tuple[Sequence[str | bytes], ...] = (
        [f"PASS {CLIENT_PASSWORD}", f"LOGIN practice {CLIENT_PASSWORD}", plain("practice", CLIENT_PASSWORD)],
        ["EHLO pc", plain("practice", WRONG_PASSWORD), plain(PASSWORD_AS_LOGIN, "x")],
        ["EHLO pc", f"AUTH {CLIENT_PASSWORD}", f"AUTH PLAIN {CLIENT_PASSWORD}", f"AUTH LOGIN !{CLIENT_PASSWORD}"],
        ["EHLO pc", "AUTH LOGIN", CLIENT_PASSWORD, "AUTH PLAIN", WRONG_PASSWORD],
        [f"EHLO {PATIENT}", f"VRFY {TO}", f"EXPN {TO}", f"RCPT TO:<{TO}>", f"MAIL FROM:<{TO}>", f"HELP {TO}"],
        ["EHLO pc", plain("practice", CLIENT_PASSWORD), "MAIL FROM:<anna@d.test>", f"RCPT TO:<{TO}> {ENVELOPE_ID}=1"],
        ["EHLO pc", plain("practice", CLIENT_PASSWORD), "MAIL FROM:<anna@d.test>", f"RCPT TO:<{TO}@{TO}>", f"{TO}"],
        ["EHLO pc", plain("practice", CLIENT_PASSWORD), "MAIL FROM:<anna@d.test>", f"RCPT <{TO}> x" + "x" * 5000],
        ["EHLO pc", plain("practice", CLIENT_PASSWORD), f"MAIL FROM:<anna@d.test> ENVID={ENVELOPE_ID}+"],
        [
            "EHLO pc",
            plain("practice", CLIENT_PASSWORD),
            "MAIL FROM:<anna@d.test>",
            f"RCPT TO:<{TO}>",
            "DATA",
            MAIL + b"bare\rCR\r\n.",
            "MAIL FROM:<anna@d.test>",
            f"RCPT TO:<{TO}>",
            "DATA",
            f"From: {TO}\r\nSubject: {SUBJECT}\r\n\r\n{TEXT}\r\n.",
            "MAIL FROM:<anna@d.test>",
            f"RCPT TO:<{TO}>",
            "DATA",
            f"From: {SUBJECT} {TEXT}\r\n\r\n{TEXT}\r\n.",
        ],
    )
    for said in scripts:
        client = Gossip(port)
        told += [client.ask(line) for line in said]
        client.close()
    return told


def send(port: int, sender: str) -> str:
    """One mail; bruno wants no report, which would meet replies that are about the patient."""
    notify = "NEVER" if sender.startswith("bruno") else "SUCCESS,FAILURE"
    client = Gossip(port)
    for said in (
        "EHLO pc",
        plain("practice", CLIENT_PASSWORD),
        f"MAIL FROM:<{sender}> RET=HDRS ENVID={ENVELOPE_ID}",
        f"RCPT TO:<{TO}> NOTIFY={notify} ORCPT=rfc822;{TO}",
        "DATA",
    ):
        assert client.ask(said)[:1] in {"2", "3"}
    reply = client.ask(MAIL.replace(b"anna@d.test", sender.encode(), 1) + b".")
    assert reply.startswith("250 "), reply
    client.close()
    return reply.split()[-1]


class House:
    """A relay whose providers talk too much: anna's takes mail, bruno's refuses loudly, carla's refuses her login."""

    def __init__(self, path: Path, stack: contextlib.ExitStack) -> None:
        self.path = path
        self._stack = stack
        unknown = f"rcpt:550 5.1.1 <{TO}> user unknown, dear {TO}*1"
        later = f"rcpt:451 4.3.0 cannot reach {TO} now*1"
        wordings = [f"rcpt:550 5.1.1 {wording}*1" for wording in WORDINGS]
        refused = f"auth:535 5.7.8 wrong password {MAILBOX_PASSWORD} for carla"
        self.providers = {
            "good": SandboxProcess(),
            "loud": SandboxProcess(
                "--reply", unknown, "--reply", later, *(part for one in wordings for part in ("--reply", one))
            ),
            "closed": SandboxProcess("--reply", refused),
            "shut": SandboxProcess("--reply", refused.replace(MAILBOX_PASSWORD, STORED_PASSWORD)),
        }
        for provider in self.providers.values():
            stack.callback(provider.kill)
        folder = Folder(path, provider=0)
        folder.routing["clients"] = {"practice": {"password": CLIENT_PASSWORD, "may_send_as": ["*@d.test"]}}
        folder.routing["providers"] = {
            name: {"host": "127.0.0.1", "port": provider.port, "tls": "none"}
            for name, provider in self.providers.items()
        }
        senders = zip(("anna@d.test", "bruno@d.test", "carla@d.test"), self.providers, strict=False)
        folder.routing["accounts"] = {
            sender: {"provider": provider, "password": MAILBOX_PASSWORD} for sender, provider in senders
        }
        folder.routing["providers"]["cloud"] = {
            "host": "127.0.0.1",
            "port": self.providers["good"].port,
            "tls": "none",
            "auth": "oauth2",
            "oauth": {"client_id": "relay", "client_secret": "secret:client", "token_url": "http://127.0.0.1:9/token"},
        }
        folder.routing["accounts"] |= {
            "dora@d.test": {"provider": "good", "password": "secret:dora"},
            "enzo@d.test": {"provider": "shut", "password": "secret:enzo"},
            "fabio@d.test": {"provider": "cloud", "password": "secret:fabio"},
        }
        folder.write()
        self.config = folder.config

    def keep(self, relay: RelayProcess, value: str, *words: str) -> tuple[bytes, str]:
        """Hands in a secret as a person does; the command line of whoever does it, and what he is told."""
        asked = self.path / "asked.yaml"
        asked.write_text(
            json.dumps({**json.loads(self.config.read_text()), "http": {"listen": f"127.0.0.1:{relay.http}"}})
        )
        command = [sys.executable, "-c", "from relay.cli import main; main()", *words]
        with subprocess.Popen(
            [*command, "--config", str(asked)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ) as process:  # fmt: skip
            seen = (Path("/proc") / str(process.pid) / "cmdline").read_bytes()
            told, _ = process.communicate(value.encode() + b"\n", PATIENCE)
        assert process.returncode == 0, told
        return seen, told.decode()

    def start(self) -> RelayProcess:
        debugging = {"PYTHONASYNCIODEBUG": "1", "PYTHONDEVMODE": "1"}
        relay = RelayProcess(self.config, environ=debugging)
        self._stack.callback(relay.kill)
        return relay.wait_until_ready()

    def files(self) -> Iterator[tuple[str, bytes]]:
        """What lies in the data and key folders."""
        for folder in ("var", "keys"):
            for file in (self.path / folder).rglob("*"):
                with contextlib.suppress(FileNotFoundError):  # the relay has done with it meanwhile
                    if file.is_file():
                        yield str(file), file.read_bytes()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with contextlib.ExitStack() as stack:
        yield House(tmp_path, stack)


def test_the_words_are_found_where_they_can_be_read() -> None:
    for word in SECRETS + PATIENTS:
        for shift in range(3):
            assert found_in(b64encode(b"#" * shift + word.encode() + b"!!"), (word,)) == [word]
        assert found_in(b"x" + word.encode() + b"y", (word,)) == [word]
    assert found_in(b"Gentile paziente", SECRETS + PATIENTS) == []


def test_no_secret_and_no_patient_is_told_to_anybody_who_need_not_know(house: House) -> None:
    relay = house.start()
    told = gossip(relay.smtp)
    handed_in: list[bytes | str] = [
        *house.keep(relay, CLIENT_SECRET, "secret", "set", "client"),
        *house.keep(relay, STORED_PASSWORD, "account", "set-password", "dora@d.test"),
        *house.keep(relay, STORED_PASSWORD, "secret", "set", "enzo"),
        *house.keep(relay, REFRESH_TOKEN, "secret", "set", "fabio"),
    ]
    senders = ["anna@d.test", *["bruno@d.test"] * (2 + len(WORDINGS)), "carla@d.test"]
    others = [send(relay.smtp, sender) for sender in ("dora@d.test", "enzo@d.test", "fabio@d.test")]
    relay.wait_for("delivered", id=others[0])
    relay.wait_for("login_failed", mailbox="enzo@d.test")
    relay.wait_for("token_refused", mailbox="fabio@d.test")
    accepted = [send(relay.smtp, sender) for sender in senders]
    relay.wait_for("delivered", id=accepted[0])
    relay.wait_until(lambda now: now.count("bounced") + now.count("deferred") >= 2 + len(WORDINGS))
    relay.wait_for("login_failed")
    token = (house.path / "var" / "admin.token").read_text().strip()
    pages = [relay.get(path, token=token) for path in ("/metrics", "/readyz", "/api/v1/status", "/api/v1/accounts")]
    pages += [relay.get(f"/api/v1/{path}", token=token) for path in ("secrets", "keys", "openapi.json")]
    pages += [relay.get(f"/api/v1/messages/{one}", token=token) for one in accepted]
    pages += [relay.get("/api/v1/messages", token=token)]
    commands = [(Path("/proc") / str(pid) / "cmdline").read_bytes() for pid in family(relay.process.pid)]

    def sung(relay: RelayProcess) -> dict[str, list[str]]:
        places = {"log": "".join(relay.lines).encode(), "commands": b"\n".join(commands)}
        places["handed in"] = b"\n".join(part if isinstance(part, bytes) else part.encode() for part in handed_in)
        places |= {f"page {number}": json.dumps(page).encode() for number, page in enumerate(pages)}
        places |= dict(house.files())
        found = {place: found_in(content, SECRETS + PATIENTS) for place, content in places.items()}
        return {place: words for place, words in found.items() if words}

    assert sung(relay) == {}
    relay.stop(signal.SIGKILL)
    assert sung(relay) == {}
    again = house.start()
    again.stop()
    assert sung(again) == {}
    assert found_in("".join(told).encode(), SECRETS) == []


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = (Path("/proc") / str(pid) / "task" / str(pid) / "children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]
