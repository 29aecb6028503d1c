"""Postfix as a peer: an instance of its own in a temporary folder, relaying everything to one upstream with AUTH.

Law: it is configured to be as fast as it is safe: its default durability, forty deliveries at once, no DNS, no chroot.
"""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import cpu_seconds_of_tree, free_port, wait_for_port

_MAIN = """\
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = bench.test
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
default_process_limit = 100
relayhost = [127.0.0.1]:{upstream}
smtp_sasl_auth_enable = yes
smtp_sasl_security_options =
smtp_sasl_password_maps = inline:{{ {{[127.0.0.1]:{upstream}=bench:bench}} }}
smtp_tls_security_level = none
default_destination_concurrency_limit = {concurrency}
initial_destination_concurrency = {concurrency}
default_destination_rate_delay = {rate_delay}
smtp_destination_concurrency_failed_cohort_limit = 0
disable_dns_lookups = yes
smtp_host_lookup = native
alias_maps =
local_recipient_maps =
message_size_limit = 50000000
in_flow_delay = 0
maillog_file = {log}
maillog_file_prefixes = /
"""

_MASTER = """\
{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True, slots=True)
class Postfix:
    """A running instance."""

    port: int
    pid: int
    queue: Path

    def cpu_seconds(self) -> float:
        """CPU of the master and all it ever started."""
        return cpu_seconds_of_tree(self.pid)

    def queued(self) -> int:
        """Messages not yet delivered."""
        return sum(
            len(files) for name in ("incoming", "active", "deferred") for _, _, files in os.walk(self.queue / name)
        )


def is_installed() -> bool:
    """Whether Postfix and its test programs are here, and may be started."""
    return all(shutil.which(name) for name in ("postfix", "smtp-source", "smtp-sink")) and os.geteuid() == 0


@contextmanager
def running(folder: Path, upstream: int, *, concurrency: int = 40, rate_delay: str = "0s") -> Iterator[Postfix]:
    """An instance that relays to 127.0.0.1:`upstream`; stopped when the block ends."""
    port = free_port()
    etc, queue, data = folder / "etc", folder / "queue", folder / "data"
    for path in (etc, queue, data):
        path.mkdir(parents=True)
    owner = pwd.getpwnam("postfix")
    os.chown(data, owner.pw_uid, owner.pw_gid)
    for path in (folder, *folder.parents):
        if path.stat().st_mode & 0o005 != 0o005 and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o055)
    (etc / "main.cf").write_text(
        _MAIN.format(
            queue=queue,
            data=data,
            daemons=_daemons(),
            upstream=upstream,
            concurrency=concurrency,
            rate_delay=rate_delay,
            log=folder / "postfix.log",
        )
    )
    (etc / "master.cf").write_text(_MASTER.format(port=port))
    subprocess.run(["postfix", "-c", str(etc), "start"], check=True, capture_output=True, timeout=60)
    pid = int((queue / "pid" / "master.pid").read_text())
    try:
        wait_for_port(port, seconds=20)
        yield Postfix(port, pid, queue)
    finally:
        subprocess.run(["postfix", "-c", str(etc), "stop"], check=False, capture_output=True, timeout=60)
        _make_sure(pid)


def _daemons() -> str:
    for path in ("/usr/lib/postfix/sbin", "/usr/libexec/postfix"):
        if Path(path, "master").exists():
            return path
    raise FileNotFoundError("Postfix's daemons are not where they usually are")


def _make_sure(pid: int) -> None:
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.05)
