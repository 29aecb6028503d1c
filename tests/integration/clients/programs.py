"""The mail programs and libraries that hand in mail, how each is told to, and how each says its version.

Law: a program runs as its users run it, in a process of its own; what it prints is what its user would see.
"""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
CACHE = Path(__file__).parents[3] / ".venv" / "clients"
"""Where libraries of other languages are installed for the tests; git ignores it."""

PATIENCE = 60.0
"""Seconds after which a program hangs: no measure."""

NPM_TRIES = ("--fetch-retries=5", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=15000")
"""Of a registry that is slow or away for a moment: six tries in less than a minute."""

NPM_PATIENCE = 240.0
"""Seconds; a test has 300."""

SUBJECT = "Ricetta: più farmaci, Grüße – 1 €"
BODY = "Gentile paziente,\n.\n..la ricetta è pronta: perché aspettare?\n"
ATTACHMENT = bytes(range(256)) * 300 + b"\r\n.\r\n\n.\n\r.\r\0From nobody\r\n" + b"=" * 1500


@dataclass(frozen=True, slots=True)
class Order:
    """One mail to hand in; `listener` is the kind of listener, `authority` the certificate to trust."""

    port: int
    listener: str
    authority: Path
    folder: Path
    login: str
    password: str
    sender: str
    recipient: str

    @property
    def body(self) -> Path:
        path = self.folder / "body.txt"
        path.write_text(BODY, encoding="utf-8")
        return path

    @property
    def attachment(self) -> Path:
        path = self.folder / "referto.bin"
        path.write_bytes(ATTACHMENT)
        return path

    @property
    def raw(self) -> Path:
        """The mail already written, for programs that only carry."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self.sender, self.recipient, SUBJECT
        mail.set_content(BODY)
        mail.add_attachment(ATTACHMENT, maintype="application", subtype="octet-stream", filename="referto.bin")
        path = self.folder / "mail.eml"
        path.write_bytes(mail.as_bytes())
        return path

    @property
    def arguments(self) -> list[str]:
        """For the scripts beside this file, which all take the same."""
        authority = str(self.authority) if self.listener != "none" else ""
        where = ["127.0.0.1", str(self.port), self.listener, authority]
        who = [self.login, self.password, self.sender, self.recipient]
        return [*where, *who, SUBJECT, str(self.body), str(self.attachment)]


@dataclass(frozen=True, slots=True)
class Said:
    """How a program ended, and all that it printed."""

    is_well: bool
    text: str


@dataclass(frozen=True, slots=True)
class Program:
    """One client: `tools` it needs from the system, `version` it has here, `command` that hands in an order."""

    name: str
    title: str
    """What people call it."""
    tools: tuple[str, ...]
    version: Callable[[], str]
    command: Callable[[Order], list[str]]
    packages: tuple[str, ...] = ()
    """Files of the system that must be there, besides the tools."""
    stdin: Callable[[Order], Path] | None = None
    environment: Mapping[str, str] | None = None

    def hand_in(self, order: Order) -> Said:
        environment = {**os.environ, "LC_ALL": "C.UTF-8", **(self.environment or {})}
        stdin = self.stdin(order).read_bytes() if self.stdin is not None else b""
        command = self.command(order)
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=PATIENCE, check=False, env=environment)
        return Said(done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace"))


def _said(*command: str, pattern: str) -> str:
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True)
    found = re.search(pattern, (done.stdout + done.stderr).decode())
    assert found is not None, done
    return found[1]


def _swaks(order: Order) -> list[str]:
    encryption = {"none": [], "starttls": ["--tls"], "implicit": ["--tls-on-connect"]}[order.listener]
    if encryption:
        encryption += ["--tls-verify", "--tls-ca-path", str(order.authority)]
    login = ["--auth", "PLAIN", "--auth-user", order.login, "--auth-password", order.password]
    mail = ["--from", order.sender, "--to", order.recipient, "--h-Subject", SUBJECT]
    content = ["--body", f"@{order.body}", "--attach-type", "application/octet-stream"]
    content += ["--attach-name", "referto.bin", "--attach", f"@{order.attachment}"]
    return ["swaks", "--server", "127.0.0.1", "--port", str(order.port), *encryption, *login, *mail, *content]


def _msmtp(order: Order) -> list[str]:
    password = order.folder / "password"
    password.write_text(order.password)
    config = order.folder / "msmtprc"
    lines = ["account default", "host 127.0.0.1", f"port {order.port}", f"from {order.sender}", "auth on"]
    lines += [f"user {order.login}", f"passwordeval cat {password}", "timeout 50"]
    if order.listener == "none":
        lines += ["tls off"]
    else:
        lines += ["tls on", f"tls_starttls {'on' if order.listener == 'starttls' else 'off'}"]
        lines += [f"tls_trust_file {order.authority}"]
    config.write_text("\n".join(lines) + "\n")
    config.chmod(0o600)
    # Over a clear line msmtp chooses no mechanism by itself.
    mechanism = ["--auth=plain"] if order.listener == "none" else []
    return ["msmtp", "-C", str(config), *mechanism, order.recipient]


def _curl(order: Order) -> list[str]:
    scheme = "smtps" if order.listener == "implicit" else "smtp"
    trust = [] if order.listener == "none" else ["--ssl-reqd", "--cacert", str(order.authority)]
    where = [f"{scheme}://127.0.0.1:{order.port}", *trust, "--user", f"{order.login}:{order.password}"]
    envelope = ["--mail-from", order.sender, "--mail-rcpt", order.recipient]
    fields = [f"From: {order.sender}", f"To: {order.recipient}", f"Subject: {SUBJECT}"]
    headers = [part for field in fields for part in ("-H", field)]
    parts = ["-F", f"=<{order.body};type=text/plain;charset=utf-8;encoder=quoted-printable"]
    parts += ["-F", f"file=@{order.attachment};type=application/octet-stream;encoder=base64"]
    return ["curl", "-v", "-sS", *where, *envelope, *headers, *parts]


def _nodemailer(order: Order) -> list[str]:
    return ["node", str(HERE / "nodemailer" / "send.cjs"), *order.arguments]


def install_nodemailer() -> None:
    """Installs the locked version where it is not yet; into the cache, never into the checkout."""
    target = CACHE / "nodemailer"
    lock = (HERE / "nodemailer" / "package-lock.json").read_bytes()
    installed = target / "installed"
    """Which lock npm came to the end of: what it leaves when it is cut short looks whole."""
    if installed.exists() and installed.read_bytes() == lock:
        return
    target.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "nodemailer" / name, target)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", *NPM_TRIES]
    done = subprocess.run(command, cwd=target, check=False, capture_output=True, timeout=NPM_PATIENCE)
    assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")
    installed.write_bytes(lock)


def _nodemailer_version() -> str:
    module = str(CACHE / "nodemailer" / "node_modules" / "nodemailer" / "package.json")
    return _said("node", "-p", f"require({module!r}).version", pattern=r"(\S+)")


PHP = ("php", "-d", "include_path=/usr/share/php")
"""A PHP that is not Debian's looks for Debian's libraries nowhere."""


def _phpmailer(order: Order) -> list[str]:
    return [*PHP, str(HERE / "phpmailer" / "send.php"), *order.arguments]


def _phpmailer_version() -> str:
    code = "require 'libphp-phpmailer/autoload.php'; echo PHPMailer\\PHPMailer\\PHPMailer::VERSION;"
    return _said(*PHP, "-r", code, pattern=r"(\S+)")


JARS = "/usr/share/java/javax.mail.jar:/usr/share/java/javax.activation.jar"


def _javamail(order: Order) -> list[str]:
    """Compiled once: a second start takes a third of the time."""
    classes, source = CACHE / "javamail", HERE / "javamail" / "Send.java"
    compiled = classes / "Send.class"
    if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
        classes.mkdir(parents=True, exist_ok=True)
        subprocess.run(["javac", "-encoding", "UTF-8", "-cp", JARS, "-d", str(classes), str(source)], check=True)
    arguments = ["localhost", *order.arguments[1:]]  # it finds no address in a certificate, only names
    if order.listener != "none":
        arguments[3] = str(_trust_store(order))
    return ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", f"{classes}:{JARS}", "Send", *arguments]


def _javamail_version() -> str:
    with zipfile.ZipFile("/usr/share/java/javax.mail.jar") as jar:
        manifest = jar.read("META-INF/MANIFEST.MF").decode()
    found = re.search(r"Implementation-Version: (\S+)", manifest)
    assert found is not None, manifest
    return found[1]


def _trust_store(order: Order) -> Path:
    """Java wants its trust in a file of its own kind."""
    store = order.folder / "trust.p12"
    if not store.exists():
        what = ["-importcert", "-noprompt", "-alias", "ca", "-file", str(order.authority)]
        where = ["-keystore", str(store), "-storetype", "PKCS12", "-storepass", "changeit"]
        subprocess.run(["keytool", *what, *where], check=True, capture_output=True)
    return store


def _python(script: str) -> Callable[[Order], list[str]]:
    return lambda order: [sys.executable, str(HERE / "python" / script), *order.arguments]


def _python_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


PROGRAMS: tuple[Program, ...] = (
    Program("swaks", "swaks", ("swaks",), lambda: _said("swaks", "--version", pattern=r"version (\S+)"), _swaks),
    Program(
        "msmtp",
        "msmtp",
        ("msmtp",),
        lambda: _said("msmtp", "--version", pattern=r"msmtp version (\S+)"),
        _msmtp,
        stdin=lambda order: order.raw,
    ),
    Program("curl", "curl", ("curl",), lambda: _said("curl", "--version", pattern=r"curl (\S+)"), _curl),
    Program(
        "nodemailer",
        "Nodemailer (Node.js)",
        ("node", "npm"),
        _nodemailer_version,
        _nodemailer,
        environment={"NODE_PATH": str(CACHE / "nodemailer" / "node_modules")},
    ),
    Program(
        "phpmailer",
        "PHPMailer (PHP)",
        ("php",),
        _phpmailer_version,
        _phpmailer,
        packages=("/usr/share/php/libphp-phpmailer/autoload.php",),
    ),
    Program(
        "javamail",
        "JavaMail (Java)",
        ("java", "javac"),
        _javamail_version,
        _javamail,
        packages=("/usr/share/java/javax.mail.jar",),
    ),
    Program("smtplib", "smtplib (Python)", (), _python_version, _python("with_smtplib.py")),
    Program("aiosmtplib", "aiosmtplib (Python)", (), lambda: version("aiosmtplib"), _python("with_aiosmtplib.py")),
)
