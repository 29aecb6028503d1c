"""The system allows fewer open files than there may be clients: strangers use up theirs, and the relay works on."""

import asyncio
import resource
from contextlib import ExitStack
from pathlib import Path

from tests.integration.relay_process import Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess
from tests.misfortune.attackers import Attackers, allow_many_files
from tests.misfortune.test_submission_attacked import Honest, under

ALLOWED = 256


async def test_strangers_use_up_no_file_that_the_relay_needs(tmp_path: Path) -> None:
    allow_many_files()
    with ExitStack() as stack:
        provider = await asyncio.to_thread(SandboxProcess)
        stack.callback(provider.kill)
        folder = Folder(tmp_path, provider=provider.port)
        folder.routing["clients"] = {"practice": {"password": "pw", "may_send_as": ["*@d.test"]}}
        folder.write()
        relay = RelayProcess(folder.config)
        stack.callback(relay.kill)
        resource.prlimit(relay.process.pid, resource.RLIMIT_NOFILE, (ALLOWED, ALLOWED))
        await asyncio.to_thread(relay.wait_until_ready)
        assert relay.count("config_warned") == 1
        attackers = Attackers(relay.smtp)
        attack = attackers.hold("idle", attackers.idle, many=500, each=50)
        async with under([asyncio.get_running_loop().create_task(attack)]):
            await attackers.until("idle, again", 400)
            honest = Honest(relay.smtp)
            await honest.send(10)
        await asyncio.to_thread(relay.wait_for, "delivered", times=10)
        assert relay.count("accepted") == honest.accepted == 10
        assert relay.count("failed") == relay.count("trouble") == 0, relay.complaints
        assert await asyncio.to_thread(relay.stop) == 0
