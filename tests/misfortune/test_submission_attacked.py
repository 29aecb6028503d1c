"""Strangers hold connections, drip, flood, guess and never listen: who has a login is served all the same."""

import asyncio
import resource
import smtplib
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from relay.sandbox.certificates import make_certificates
from tests.integration.relay_process import PATIENCE, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess
from tests.misfortune.attackers import Attackers, allow_many_files

MESSAGE = b"From: anna@d.test\r\nTo: paziente@example.org\r\nSubject: Ricetta\r\n\r\nBuongiorno\r\n" + b"x" * 4000
MEMORY_MOST = 400 * 1024
"""KiB that the relay may have resident, attacked or not."""


@pytest.fixture
def room() -> int:
    """How many connections the relay has room for."""
    return 300


@pytest.fixture
async def attacked(tmp_path: Path, room: int) -> AsyncIterator[RelayProcess]:
    """A relay with so much room, 100 of one address, with a listener in clear and one with TLS."""
    allow_many_files(2 * room)
    provider = await asyncio.to_thread(SandboxProcess)
    folder = Folder(tmp_path, provider=provider.port)
    files = await make_certificates(tmp_path)
    folder.service["submission"] = {
        "listen": [{"address": "127.0.0.1:0", "tls": "none"}, {"address": "127.0.0.1:0", "tls": "implicit"}],
        "tls": {"certificate": str(files.certificate), "key": str(files.key)},
        "max_connections": room,
        "max_connections_per_ip": 100,
    }
    folder.routing["clients"] = {"practice": {"password": "pw", "may_send_as": ["*@d.test"]}}
    folder.write()
    relay = RelayProcess(folder.config)
    try:
        await asyncio.to_thread(relay.wait_until_ready)
        yield relay
    finally:
        await asyncio.to_thread(relay.kill)
        await asyncio.to_thread(provider.kill)


class Honest:
    """A practice that sends mail after mail, each over a connection of its own, and comes again when told to."""

    def __init__(self, port: int, authority: Path | None = None) -> None:
        """`authority`: the port speaks TLS from the start, and this is to be trusted."""
        self._port = port
        self._context = None if authority is None else ssl.create_default_context(cafile=authority)
        self.accepted = 0
        self.told_to_come_again = 0

    async def send(self, count: int) -> None:
        for _ in range(count):
            await asyncio.to_thread(self._send_one)

    def _send_one(self) -> None:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self._try_one()
            except (smtplib.SMTPException, OSError) as refused:
                code = refused.smtp_code if isinstance(refused, smtplib.SMTPResponseException) else 421
                if code not in {421, 454} or time.monotonic() > until:
                    raise
                self.told_to_come_again += 1
                time.sleep(0.1)
            else:
                self.accepted += 1
                return

    def _try_one(self) -> None:
        with self._connected() as client:
            client.login("practice", "pw")
            client.sendmail("anna@d.test", ["paziente@example.org"], MESSAGE)

    def _connected(self) -> smtplib.SMTP:
        if self._context is None:
            return smtplib.SMTP("127.0.0.1", self._port, timeout=PATIENCE)
        return smtplib.SMTP_SSL("localhost", self._port, timeout=PATIENCE, context=self._context)


def ports(relay: RelayProcess) -> list[int]:
    """Of the listener in clear and of the one with TLS."""
    told = [record["address"] for record in relay.records if record.get("what") == "smtp"]
    return [int(address.rpartition(":")[2]) for address in told]


def resident(relay: RelayProcess) -> int:
    """KiB of memory that the process has now."""
    status = Path(f"/proc/{relay.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


@asynccontextmanager
async def under(attack: list[asyncio.Task[None]]) -> AsyncIterator[None]:
    try:
        yield
    finally:
        for task in attack:
            task.cancel()
        ended = await asyncio.gather(*attack, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


async def test_everybody_with_a_login_is_served_while_strangers_do_their_worst(attacked: RelayProcess) -> None:
    port = ports(attacked)[0]
    attackers = Attackers(port)
    begin = asyncio.get_running_loop().create_task
    honest = Honest(port)
    await honest.send(1)
    attack = [
        begin(attackers.hold("idle", attackers.idle, many=600, each=60)),
        begin(attackers.hold("drip", attackers.drip, many=50, each=10)),
        begin(attackers.hold("endless", attackers.endless, many=5, each=1)),
        begin(attackers.hold("deaf", attackers.deaf, many=20, each=10)),
        begin(attackers.hold("guess", attackers.guess, many=20, each=1)),
        begin(attackers.hold("knock", attackers.knock, many=20, each=5)),
    ]
    async with under(attack):
        await attackers.until("idle, again", 300)  # no room is left
        for kind in ("drip", "guess", "knock"):
            await attackers.until(kind, 20)
        others = [Honest(port) for _ in range(3)]
        await asyncio.gather(*(one.send(15) for one in (honest, *others)))
        assert resident(attacked) < MEMORY_MOST
    await asyncio.to_thread(attacked.wait_for, "delivered", times=61)
    assert attacked.count("accepted") == 61
    assert attackers.done["idle"] > 300
    assert sum(one.accepted for one in (honest, *others)) == 61


@pytest.mark.parametrize("many", [200, 500], ids=["less than there is room for", "more"])
async def test_handshakes_that_never_end_keep_nobody_out(attacked: RelayProcess, tmp_path: Path, many: int) -> None:
    port = ports(attacked)[1]
    attackers = Attackers(port)
    task = asyncio.get_running_loop().create_task
    attack = [task(attackers.hold("half a handshake", attackers.half_handshake, many=many, each=50))]
    honest = [Honest(port, tmp_path / "ca.pem") for _ in range(3)]
    async with under(attack):
        await attackers.until("half a handshake", many)
        await asyncio.gather(*(one.send(5) for one in honest))
    await asyncio.to_thread(attacked.wait_for, "delivered", times=15)
    assert attacked.count("accepted") == 15


@pytest.mark.parametrize("room", [10_500])
async def test_ten_thousand_idle_connections_cost_memory_that_is_there(attacked: RelayProcess, room: int) -> None:
    port = ports(attacked)[0]
    attackers = Attackers(port)
    honest = Honest(port)
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    many = min(10_000, max(allowed - 3000, allowed // 4))  # where the system allows fewer files
    task = asyncio.get_running_loop().create_task
    async with under([task(attackers.hold("idle", attackers.idle, many=many, each=90))]):
        await attackers.until("idle", many)
        await honest.send(10)
        assert resident(attacked) < MEMORY_MOST
        assert attackers.done["idle, again"] == 0, "nobody had to make room"
    await asyncio.to_thread(attacked.wait_for, "delivered", times=10)
    assert attacked.count("accepted") == honest.accepted == 10
    assert honest.told_to_come_again == 0
