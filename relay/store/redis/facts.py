"""What a server says about itself by INFO and ROLE: its version, whether it is a primary, and who follows it.

Law: one that the relay cannot work with is refused with a sentence, before anything is asked of it.
"""

import re
from dataclasses import dataclass

from relay.errors import RelayError, StoreBroken, StoreUnavailable
from relay.store.redis.address import Host
from relay.store.redis.wire import Reply, Wire

OLDEST = (6, 2)
"""The oldest Redis whose commands and scripts the Lua files are written for."""

WAITAOF_SINCE = (7, 2)
"""WAITAOF asks replicas whether they have it on disk; WAIT, whether they have it. Valkey began with it."""

SILENT_AFTER = 10
"""Seconds; a replica answers every second, and one that has not for so long is away, whatever the list says."""


@dataclass(frozen=True, slots=True)
class Facts:
    """`replicas` are those that have what the primary has, and answer."""

    version: tuple[int, ...]
    name: str
    run_id: str
    replicas: tuple[Host, ...]
    is_appending: bool
    """Whether it keeps an append-only file."""
    policy: str
    """What it does when its memory is full (maxmemory-policy)."""

    @property
    def has_waitaof(self) -> bool:
        return self.version >= WAITAOF_SINCE


def ask_facts(wire: Wire, *, until: int) -> Facts:
    """What the server is. StoreUnavailable: loading, or a replica; StoreBroken: too old, or a cluster."""
    info, role = answered(wire.ask_all([("INFO",), ("ROLE",)], until=until))
    fields = read_info(info)
    _refuse_unfit(fields, str(wire.host))
    if role[0] != b"master":
        raise StoreUnavailable(f"{wire.host} is a replica; `store` must lead to the primary")
    return facts_of(fields)


def answered(replies: list[Reply | RelayError]) -> list[Reply]:
    """The replies, where none of them is an error; the first error is raised."""
    for reply in replies:
        if isinstance(reply, RelayError):
            raise reply
    return replies


def read_info(info: bytes) -> dict[str, str]:
    """INFO's lines `name:value` (redis.io, INFO)."""
    lines = (line.partition(":") for line in info.decode(errors="replace").splitlines())
    return {name: value for name, found, value in lines if found}


def facts_of(fields: dict[str, str]) -> Facts:
    """The same in our words."""
    is_valkey = fields.get("server_name") == "valkey"
    return Facts(
        version=_version(fields.get("redis_version", "0")),
        name=f"Valkey {fields.get('valkey_version')}" if is_valkey else f"Redis {fields.get('redis_version')}",
        run_id=fields.get("run_id", ""),
        replicas=tuple(_replicas(fields)),
        is_appending=fields.get("aof_enabled") == "1",
        policy=fields.get("maxmemory_policy", ""),
    )


def _refuse_unfit(fields: dict[str, str], where: str) -> None:
    version = fields.get("redis_version", "0")
    if fields.get("loading") == "1":
        raise StoreUnavailable(f"{where} is loading its data")
    if _version(version) < OLDEST:
        raise StoreBroken(f"{where} is Redis {version}; the relay needs 6.2 or newer, or Valkey")
    if fields.get("cluster_enabled") == "1":
        raise StoreBroken(
            f"{where} is a node of a cluster; the relay needs one primary, with Sentinel where it may move"
        )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def _replicas(fields: dict[str, str]) -> list[Host]:
    """Those of the lines `slave0:ip=127.0.0.1,port=6380,state=online,offset=14,lag=1` that have and answer."""
    found: dict[Host, None] = {}  # one that came back is listed twice, until the primary sees that it had left
    for name, value in fields.items():
        if re.fullmatch(r"slave\d+", name) is None:
            continue
        parts = dict(part.partition("=")[::2] for part in value.split(","))
        if parts.get("state") == "online" and int(parts.get("lag", "0")) <= SILENT_AFTER:
            found[Host(parts["ip"], int(parts["port"]))] = None
    return list(found)
