"""The primary, as the sentinels name it now.

Law: nothing is kept of their answer; whoever needs the primary asks again, because after a failover it is another one.
"""

from dataclasses import dataclass
from typing import Any

import redis
from redis import exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from relay.core.limits import SECOND
from relay.errors import StoreUnavailable
from relay.store.redis.address import Address, Host
from relay.store.redis.patience import Patience

PASSWORD = (
    "wants a password, and the relay has none for sentinels: that in `store` is for the servers; no `requirepass` in "
    "sentinel.conf"
)
NO_SENTINEL = "is no sentinel (a server of Redis? Then the address begins with redis://)"

NAMES_SHOWN = 3
"""So many primaries that a sentinel knows are named: it rarely has more than one."""


@dataclass(frozen=True, slots=True)
class _Asked:
    host: Host
    client: Any


class Sentinels:
    """Asks the one first that answered last."""

    def __init__(self, address: Address, patience: Patience) -> None:
        self._service = address.service or ""
        options: dict[str, Any] = dict.fromkeys(
            ("socket_timeout", "socket_connect_timeout"), patience.sentinel / SECOND
        )
        options |= {"retry": Retry(NoBackoff(), 0), "driver_info": None, "protocol": 2}
        self._each = [_Asked(host, redis.Redis(host=host.name, port=host.port, **options)) for host in address.hosts]

    def primary(self) -> Host:
        """StoreUnavailable: none of them names one, and what each of them does instead."""
        found: list[str] = []
        for place, each in enumerate(self._each):
            answer = self._asked(each)
            if isinstance(answer, Host):
                self._each.insert(0, self._each.pop(place))
                return answer
            found.append(f"{each.host} {answer}")
        raise StoreUnavailable(f"no sentinel names a primary for {self._service}: {'; '.join(found)}")

    def _asked(self, each: "_Asked") -> Host | str:
        """The primary, or why this one does not name it."""
        try:
            known = each.client.sentinel_masters()
        except (exceptions.AuthenticationError, exceptions.NoPermissionError):
            return PASSWORD
        except (exceptions.ConnectionError, exceptions.TimeoutError, OSError):
            return "does not answer"
        except exceptions.ResponseError as error:
            return PASSWORD if "NOAUTH" in str(error) else NO_SENTINEL
        state = known.get(self._service)
        if state is None:
            names = " or ".join(sorted(known)[:NAMES_SHOWN]) or "none"
            return f"knows no primary of this name (it knows {names}: the part of `store` behind the hosts)"
        if not state["is_master"] or state["is_sdown"] or state["is_odown"]:
            return "finds it gone"
        return Host(state["ip"], int(state["port"]))

    def close(self) -> None:
        """Harmless when called twice."""
        for each in self._each:
            each.client.close()
