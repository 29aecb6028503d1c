"""The rope to the bell of the store: Redis tells every node that something changed, whichever node did it.

Law: what was missed while nobody could be heard is not missed: after each connect the count of changes is looked at.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import redis.asyncio as aioredis
from redis import exceptions
from redis.asyncio.sentinel import Sentinel

from relay.store.redis.address import Address, Scheme
from relay.store.redis.bell import OwnBell
from relay.store.redis.rowkeys import BELL, STATE

SHORTEST: float = 0.05
LONGEST: float = 1.0
"""Seconds between two tries: mail of other nodes goes on within a second of the return of Redis."""

SILENCE: float = 15.0
"""Seconds after which an idle connection is asked whether it lives: a server that is gone says nothing."""


class ListeningRope(OwnBell):
    """Listens on a connection of its own, on the loop."""

    def __init__(self, address: Address, *, chance: Callable[[], float]) -> None:
        super().__init__()
        self._address = address
        self._chance = chance
        self._is_closed = False

    async def listen(self) -> None:
        """Runs until it is cancelled."""
        pause = SHORTEST
        while not self._is_closed:
            client = self._client()
            try:
                async with client.pubsub() as heard:
                    await heard.subscribe(BELL)
                    self.set(int(await client.hget(STATE, "changes") or 0))
                    pause = SHORTEST
                    while True:
                        message = await heard.get_message(ignore_subscribe_messages=True, timeout=SILENCE)
                        if message is None:
                            await heard.ping()
                        elif message["type"] == "message":
                            self.pull(int(message["data"]))
            except (exceptions.RedisError, OSError, TimeoutError):
                await asyncio.sleep(pause * (1 + self._chance()) / 2)
                pause = min(2 * pause, LONGEST)
            finally:
                await client.aclose()

    def _client(self) -> "aioredis.Redis":
        """Of the primary of the moment."""
        address = self._address
        login: dict[str, Any] = {"username": address.login.user, "password": address.login.password, "db": address.db}
        if address.scheme is Scheme.SENTINEL:
            hosts = [(host.name, host.port) for host in address.hosts]
            watchers = Sentinel(hosts, socket_timeout=LONGEST)  # type: ignore[no-untyped-call]
            found: aioredis.Redis = watchers.master_for(address.service or "", socket_timeout=None, **login)
            return found
        host = address.hosts[0]
        if not host.port:
            return aioredis.Redis(unix_socket_path=host.name, **login)
        secure: dict[str, Any] = {"ssl": True, "ssl_ca_certs": address.ca} if address.scheme is Scheme.TLS else {}
        return aioredis.Redis(host=host.name, port=host.port, socket_connect_timeout=LONGEST, **login, **secure)

    def close(self) -> None:
        """Nothing is listened to any more; whoever listens is cancelled."""
        self._is_closed = True
