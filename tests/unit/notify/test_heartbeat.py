"""The heartbeat: it beats while the node can do its work, and its silence is said."""

import asyncio

from relay.core.webhooks import Answer, Silence
from relay.core.weburl import WebUrl, parse_web_url
from relay.notify import Heartbeat

URL = parse_web_url("https://watch.example/s3cret?token=s3cret")


class Client:
    """Remembers whom it was to ask, and answers as it is told to."""

    def __init__(self, *answers: Answer | Silence) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, WebUrl]] = []
        self.has_asked = asyncio.Event()

    async def ask(self, method: str, url: WebUrl, *, headers=None, body=None) -> Answer | Silence:
        assert headers is None
        assert body is None
        self.asked.append((method, url))
        if len(self.asked) == 3:
            self.has_asked.set()
        return self.answers.pop(0) if self.answers else Answer(200)


class World:
    """A heartbeat on a node that is ready, or not."""

    def __init__(self, *answers: Answer | Silence) -> None:
        self.client = Client(*answers)
        self.is_ready = True
        self.told: list[str | None] = []
        self.heartbeat = Heartbeat(URL, self.client, is_ready=self.ready, tell=self.told.append, every=0.0)

    async def ready(self) -> bool:
        return self.is_ready


async def test_it_calls_while_the_node_can_work() -> None:
    world = World()
    await world.heartbeat.beat()
    assert world.client.asked == [("GET", URL)]
    assert world.told == [None]


async def test_it_is_silent_while_the_node_cannot_work_so_that_somebody_looks() -> None:
    world = World()
    world.is_ready = False
    await world.heartbeat.beat()
    assert world.client.asked == []
    assert world.told == [], "whatever was wrong with the call before stays as it was"
    world.is_ready = True
    await world.heartbeat.beat()
    assert len(world.client.asked) == 1


async def test_a_call_that_fails_is_said_once_without_its_secret_and_not_repeated() -> None:
    world = World(Answer(404), Silence.TIMEOUT, Answer(302))
    for _ in range(4):
        await world.heartbeat.beat()
    assert len(world.client.asked) == 4, "one call for each time that one is due"
    assert world.told == [
        "heartbeat_webhook at https://watch.example answered 404",
        "heartbeat_webhook at https://watch.example did not answer: timeout",
        "heartbeat_webhook at https://watch.example answered 302",
        None,
    ]


async def test_it_goes_on_until_it_is_cancelled() -> None:
    world = World(Silence.UNREACHABLE)
    running = asyncio.create_task(world.heartbeat.run())
    await asyncio.wait_for(world.client.has_asked.wait(), 60)
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()
