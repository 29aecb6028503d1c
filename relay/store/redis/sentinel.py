"""The primary, as the sentinels name it now.

Law: nothing is kept of their answer; whoever needs the primary asks again, because after a failover it is another one.
"""

from typing import Any

from redis import Sentinel, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from relay.core.limits import SECOND
from relay.errors import StoreUnavailable
from relay.store.redis.address import Address, Host
from relay.store.redis.patience import Patience

_SENTINEL: Any = Sentinel


class Sentinels:
    """Asks the one first that answered last."""

    def __init__(self, address: Address, patience: Patience) -> None:
        self._service = address.service or ""
        self._hosts = ", ".join(map(str, address.hosts))
        options: dict[str, Any] = dict.fromkeys(
            ("socket_timeout", "socket_connect_timeout"), patience.sentinel / SECOND
        )
        options |= {"retry": Retry(NoBackoff(), 0), "driver_info": None, "protocol": 2}
        self._sentinels = _SENTINEL([(host.name, host.port) for host in address.hosts], sentinel_kwargs=options)

    def primary(self) -> Host:
        """StoreUnavailable: none of them answers, or knows a primary of this name."""
        try:
            name, port = self._sentinels.discover_master(self._service)
        except (exceptions.RedisError, OSError):
            raise StoreUnavailable(f"no sentinel of {self._hosts} names a primary for {self._service}") from None
        return Host(name.decode() if isinstance(name, bytes) else name, int(port))

    def close(self) -> None:
        """Harmless when called twice."""
        for each in self._sentinels.sentinels:
            each.close()
