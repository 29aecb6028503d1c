"""Postfix as a provider: verified TLS, logins of Cyrus SASL, DSN, and a queue that keeps all for the judge."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.ports import free_ports
from tests.misfortune.certificates import Shown, make

PROGRAMS = ("postfix", "saslpasswd2")
USER = "dottore@relay.test"
PASSWORD = "segreta però"
PATIENCE = 90.0
MESSAGE_SIZE_LIMIT = 100_000

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.test
mydestination =
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_peername_lookup = no
smtpd_sasl_auth_enable = yes
smtpd_sasl_security_options = noanonymous
smtpd_sasl_local_domain = relay.test
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_auth_only = yes
smtpd_tls_security_level = may
smtputf8_enable = yes
message_size_limit = {size}
smtpd_data_restrictions = check_client_access static:HOLD
disable_dns_lookups = yes
alias_maps =
local_recipient_maps =
maillog_file = {folder}/postfix.log
maillog_file_prefixes = /
"""

_SERVICES = """\
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

_SASL = """\
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {folder}/sasldb
mech_list: {mechanism}
"""

MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5")
IMPLICIT = "implicit"


@dataclass(frozen=True)
class PostfixProvider:
    """A running instance: one port for each mechanism that it offers alone, and one for implicit TLS."""

    folder: Path
    ports: Mapping[str, int]
    shown: Shown

    def taken(self) -> list[str]:
        """Everything that it keeps: envelope and content of each message, as `postcat` prints them."""
        return [self._run("postcat", "-v", str(path)) for path in sorted((self.folder / "queue" / "hold").iterdir())]

    def log(self) -> str:
        return (self.folder / "postfix.log").read_text(errors="replace")

    def _run(self, *command: str) -> str:
        whole = [command[0], "-c", str(self.folder / "etc"), *command[1:]]
        done = subprocess.run(whole, check=False, capture_output=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode("utf-8", "replace")


def can_run() -> bool:
    """Postfix insists on being started by root."""
    return os.geteuid() == 0


@contextmanager
def running() -> Iterator[PostfixProvider]:
    """An instance of its own, in a folder that its own users can enter; stopped and gone when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="postfix-"))
    folder.chmod(0o755)
    try:
        yield from _running(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # a process of it that ends later may still write here


def _running(folder: Path) -> Iterator[PostfixProvider]:
    before = os.umask(0o022)  # its daemons are users of their own, whoever starts it
    try:
        provider = _set_up(folder)
        command = ["postfix", "-c", str(folder / "etc")]
        started = subprocess.run([*command, "start"], check=False, capture_output=True, timeout=PATIENCE)
    finally:
        os.umask(before)
    assert started.returncode == 0, started.stderr
    try:
        for port in provider.ports.values():
            wait_for_port(port)
        yield provider
    finally:
        subprocess.run([*command, "stop"], check=False, capture_output=True, timeout=PATIENCE)


def _set_up(folder: Path) -> PostfixProvider:
    for name in ("etc/sasl", "queue", "data"):
        (folder / name).mkdir(parents=True)
    owner = pwd.getpwnam("postfix")
    os.chown(folder / "data", owner.pw_uid, owner.pw_gid)
    names = (*MECHANISMS, IMPLICIT)
    provider = PostfixProvider(folder, dict(zip(names, free_ports(len(names)), strict=True)), make(folder))
    _configure(folder, provider.shown, provider.ports)
    return provider


def _configure(folder: Path, shown: Shown, ports: Mapping[str, int]) -> None:
    daemons = next(path for path in ("/usr/lib/postfix/sbin", "/usr/libexec/postfix") if Path(path, "master").exists())
    main = _MAIN.format(
        folder=folder, daemons=daemons, certificate=shown.certificate, key=shown.key, size=MESSAGE_SIZE_LIMIT
    )
    (folder / "etc" / "main.cf").write_text(main)
    listeners = []
    for name, port in ports.items():
        mechanism = "PLAIN" if name == IMPLICIT else name
        (folder / "etc" / "sasl" / f"{name}.conf").write_text(_SASL.format(folder=folder, mechanism=mechanism))
        wrapped = " -o smtpd_tls_wrappermode=yes" if name == IMPLICIT else ""
        listeners.append(f"{port} inet n - n - - smtpd -o smtpd_sasl_path={name}{wrapped}\n")
    (folder / "etc" / "master.cf").write_text("".join(listeners) + _SERVICES)
    user, _, realm = USER.partition("@")
    subprocess.run(
        ["saslpasswd2", "-p", "-c", "-f", str(folder / "sasldb"), "-u", realm, user],
        input=PASSWORD.encode(),
        check=True,
        capture_output=True,
    )
    shutil.chown(folder / "sasldb", "postfix")


def wait_for_port(port: int) -> None:
    """Waits until somebody listens there."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
