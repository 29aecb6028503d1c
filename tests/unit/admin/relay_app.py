"""The HTTP application on a fake store, asked without a socket."""

import httpx

from relay.admin import AdminSources, ListensAt, Node, Readiness, admin_app
from tests.fakes.clerk import FakeClerk, FakeHealths, FakeRiddles
from tests.fakes.keepers import FakeKeys, FakeSecrets
from tests.fakes.nodes import FakeNodes
from tests.fakes.noticeboard import FakeNoticeBoard
from tests.fakes.reading import NOON, FakeReading
from tests.fakes.recipients import FakeRecipientReport
from tests.fakes.suppressions import RememberedSuppressions

TOKEN = "0123456789abcdef0123456789abcdef"
HERE = ("127.0.0.1", 40000)
ELSEWHERE = ("10.0.0.9", 40000)


class Relay:
    """Remembers what was asked of it."""

    def __init__(self) -> None:
        self.now = 1_795_340_102.5
        self.readiness = Readiness(lambda: self.now)
        self.looks = 0
        self.failures: list[Exception] = []
        self.unmasked: list[tuple[str, str, str]] = []
        self.reading = FakeReading()
        self.keys, self.secrets = FakeKeys(), FakeSecrets()
        self.suppressions = RememberedSuppressions()
        self.recipients = FakeRecipientReport()
        self.notices = FakeNoticeBoard()
        self.clerk, self.healths, self.riddles = FakeClerk(), FakeHealths(), FakeRiddles()
        self.nodes = FakeNodes()
        node = Node("0.1.0", "n1", NOON, (ListensAt("smtp", "127.0.0.1:2525"), ListensAt("http", "127.0.0.1:8025")))
        self.app = admin_app(
            AdminSources(
                node=node,
                nodes=self.nodes,
                token=TOKEN,
                readiness=self.readiness,
                look=self.look,
                metrics=self.metrics,
                reading=self.reading,
                counts=self.reading,
                suppressions=self.suppressions,
                recipients=self.recipients,
                clerk=self.clerk,
                healths=self.healths,
                riddles=self.riddles,
                notices=self.notices,
                keys=self.keys,
                secrets=self.secrets,
                unforeseen=self.failures.append,
                unmasking=lambda *said: self.unmasked.append(said),
            )
        )

    async def look(self) -> None:
        self.looks += 1

    async def metrics(self) -> bytes:
        return b"relay_build_info 1\n"

    async def get(
        self,
        path: str,
        *,
        peer=HERE,
        token: str | None = None,
        method: str = "GET",
        host: str = "127.0.0.1:8025",
        json: object = None,
    ) -> httpx.Response:
        headers = {"Host": host} if token is None else {"Host": host, "Authorization": f"Bearer {token}"}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=peer)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8025") as client:
            return await client.request(method, path, headers=headers, json=json)

    async def ask(self, path: str) -> httpx.Response:
        """As an admin does."""
        return await self.get(path, token=TOKEN)

    async def order(self, path: str, body: object) -> httpx.Response:
        """As an admin says what to do."""
        return await self.get(path, token=TOKEN, method="POST", json=body)
