"""docs/interoperability.md: which clients were tested, in which version, with what; as a module, it writes the page.

Law: its tables are made from the very lists that the tests run through, so that the page claims nothing else.
"""

from collections.abc import Callable
from pathlib import Path

from tests.integration.clients.dialogues import DIALOGUES
from tests.integration.clients.practice import LISTENERS
from tests.integration.clients.programs import PROGRAMS, Program, install_nodemailer

PAGE = Path(__file__).parents[3] / "docs" / "interoperability.md"
TESTED_ON = "VERSION_CODENAME=bookworm"
"""The line of /etc/os-release of the machine whose versions the page names: Debian 12."""

LISTENER_WORDS = {"none": "clear text", "starttls": "STARTTLS", "implicit": "TLS from the start"}

TEXT = """# Interoperability

Which clients hand in mail to the relay, and how that is known. `make test` runs all of this against the real relay
process with a provider behind it; `python -m tests.integration.clients.page` writes this page from the lists that the
tests run through, and a test fails when it is stale.

## Programs and libraries that are run
Each of them, on each kind of listener ({listeners}):
- logs in with a password full of odd signs and sends a mail with umlauts in subject and body and an attachment of all
  256 octets, false ends of data and lone line ends; the attachment arrives byte for byte, with one Date, one Message-ID
  and one From;
- is given a wrong password: what it shows its user contains `User name or password wrong`;
- sends as an address that is not its own: what it shows contains who may not send as whom.

| client | version tested | as Debian 12 has it |
|---|---|---|
{programs}

Versions are those of Debian 12 with its updates, and what `requirements/` and the lock file of the tests name.

## Clients that are played
For software that cannot be run in a test: what it is known to say, packet by packet. These dialogues are written down
from how such clients behave; they are not recordings. Each ends with a mail that arrives as it was written.

| in the manner of | what is odd about it |
|---|---|
{dialogues}

Besides, for every client: EHLO and HELO with any name (spaces, underscores, address literals, umlauts, 300 letters), a
connection for each mail, half-close after QUIT, hanging up right after QUIT, octet by octet, AUTH after HELO, a second
login after a failed one, a refused recipient among others.

## Where clients break the standard
| what they do | the relay |
|---|---|
| `MAIL FROM: <a@b>`, with spaces | takes it |
| `MAIL FROM:a@b`, without brackets | takes it, as Postfix does |
| EHLO or HELO with a name that is none | takes it; it is written nowhere |
| EHLO or HELO without any name | `501`; the client may say it again |
| commands that end with LF alone | takes them |
| lines of a message that end with LF alone | makes them CRLF, or `550 5.6.0` where `bare_newline: reject` |
| a message that ends with anything but CRLF.CRLF | waits for CRLF.CRLF |
| a CR alone, or a NUL, in a message | `550 5.6.0`: others read it differently, and attachments are never sent so |
| 8-bit text that was not announced | takes it; it goes on as it is |
| lines of more than 998 octets | takes them, up to 64 KiB |
| no Date, no Message-ID, no From, no header at all | adds what is missing |
| all commands at once, without waiting | answers them in order |
| HTTP, sent by a browser that a web page misleads | `421` and hangs up at the first line |
| CRAM-MD5, DIGEST-MD5, NTLM, `AUTH=LOGIN` in the EHLO reply | not offered: every client above has PLAIN or LOGIN |
"""


def text(version_of: Callable[[Program], str]) -> str:
    """The whole page, with these versions."""
    programs = (f"| {one.title} | {version_of(one)} | {_origin(one.name)} |" for one in PROGRAMS)
    dialogues = (f"| {one.title} | {one.shows} |" for one in DIALOGUES)
    return TEXT.format(
        listeners=", ".join(LISTENER_WORDS[kind] for kind in LISTENERS),
        programs="\n".join(programs),
        dialogues="\n".join(dialogues),
    )


def version_here(program: Program) -> str:
    """The version that this machine has; the program must be there."""
    return program.version()


def _origin(name: str) -> str:
    from_elsewhere = {"nodemailer": "no: from npm, locked", "aiosmtplib": "no: from PyPI, locked"}
    return from_elsewhere.get(name, "yes")


if __name__ == "__main__":
    install_nodemailer()
    PAGE.write_text(text(version_here), encoding="utf-8")
