"""Nothing that a client sends makes the relay hold more than its bounds."""

import tracemalloc

from relay.submission.incoming import BLOCK
from tests.integration.submission_peer import Client, Relay, listening
from tests.unit.submission.dialogue import MAIL, MESSAGE

MEGABYTE = b"x" * 1_000_000


async def flood(client: Client, megabytes: int) -> None:
    for _ in range(megabytes):
        await client.say(MEGABYTE)


async def held_while_flooded(relay: Relay, client: Client, megabytes: int) -> int:
    """The most memory that was held while so much came in, in octets."""
    tracemalloc.start()
    try:
        await flood(client, megabytes)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_an_endless_command_line_is_not_kept() -> None:
    async with listening() as relay:
        client = await relay.client()
        assert await held_while_flooded(relay, client, 30) < 15_000_000
        assert (await client.ask(b"\r\n")).startswith("500 5.5.2 ")
        assert (await client.ask(b"NOOP\r\n")).startswith("250 ")
        await client.close()


async def test_an_endless_login_is_not_kept() -> None:
    async with listening() as relay:
        client = await relay.client()
        await client.ask(b"EHLO pc\r\n")
        await client.ask(b"AUTH PLAIN\r\n")
        await flood(client, 10)
        assert (await client.ask(b"\r\n")).startswith("500 5.5.2 ")
        await client.close()


async def test_a_message_beyond_the_bound_is_not_kept_and_then_said() -> None:
    async with listening(max_message_size=2_000_000) as relay:
        client = await relay.logged_in()
        await client.ask(MAIL + MESSAGE, replies=3)
        assert await held_while_flooded(relay, client, 40) < 15_000_000
        assert (await client.ask(b"\r\n.\r\n")).startswith("552 5.3.4 ")
        assert (await client.ask(MAIL + MESSAGE + b".\r\n", replies=4)).startswith("250 ")
        await client.close()


async def test_all_messages_together_hold_no_more_than_their_share() -> None:
    async with listening(max_held=3_000_000) as relay:
        clients = [await relay.logged_in() for _ in range(3)]
        for client in clients:
            await client.ask(MAIL + MESSAGE, replies=3)
        for client in clients:
            await flood(client, 2)
        replies = [(await client.ask(b"\r\n.\r\n"))[:3] for client in clients]
        assert sorted(replies).count("550") + sorted(replies).count("250") <= 1
        assert replies.count("452") >= 2
        assert relay.server._door.desk.memory.held == 0
        for client in clients:
            await client.close()


async def test_a_giant_header_is_refused() -> None:
    async with listening() as relay:
        client = await relay.logged_in()
        header = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 900) for number in range(400))
        assert (await client.ask(MAIL + header + MESSAGE + b".\r\n", replies=4)).startswith("550 5.6.0 ")
        await client.close()


async def test_a_header_of_nothing_but_folds_is_read_in_linear_time() -> None:
    async with listening() as relay:
        client = await relay.logged_in()
        header = b"From: " + b"\r\n \t" * 60_000 + b"m.rossi@d.test\r\n"
        assert (await client.ask(MAIL + header + b"\r\n.\r\n", replies=4))[:3] in {"250", "550"}
        await client.close()


async def test_a_line_beyond_64_kib_is_refused() -> None:
    async with listening() as relay:
        client = await relay.logged_in()
        assert (await client.ask(MAIL + MESSAGE + b"x" * (BLOCK + 1) + b"\r\n.\r\n", replies=4)).startswith(
            "550 5.6.0 "
        )
        assert (await client.ask(MAIL + MESSAGE + b"x" * BLOCK + b"\r\n.\r\n", replies=4)).startswith("250 ")
        await client.close()
