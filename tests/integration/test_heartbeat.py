"""The heartbeat of the relay as a process: it beats while the relay can work, and its address stays a secret."""

import asyncio
import json
from pathlib import Path

from tests.fakes.web import answer, serving
from tests.integration.relay_process import PATIENCE, Folder, RelayProcess

SECRET = "geheimnis-der-adresse"


async def test_whoever_watches_hears_the_relay_and_nobody_reads_the_address(tmp_path: Path) -> None:
    async with serving(answer(500)) as watch:
        address = f"http://127.0.0.1:{watch.port}/{SECRET}?token={SECRET}"
        folder = Folder(tmp_path, provider=9, notices={"heartbeat_webhook": address, "allow_private": True})
        relay = RelayProcess(folder.config)
        try:
            await asyncio.wait_for(watch.asked.wait(), PATIENCE)
            (request,) = watch.requests
            assert request.line == f"GET /{SECRET}?token={SECRET} HTTP/1.1"
            assert request.body == b""
            await asyncio.to_thread(relay.wait_for, "trouble", what="heartbeat")
            status, page = await asyncio.to_thread(relay.get, "/readyz")
        finally:
            await asyncio.to_thread(relay.stop)
            relay.kill()
        said = {each["what"]: each["text"] for each in json.loads(page)["problems"]}
        assert (status, json.loads(page)["ready"]) == (200, True), "that nobody hears it stops no mail"
        assert said["heartbeat"] == f"heartbeat_webhook at http://127.0.0.1:{watch.port} answered 500"
        assert SECRET not in page + "".join(relay.lines)
        assert len(watch.requests) == 1, "a call that failed is not repeated before the next is due"
