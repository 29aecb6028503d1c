"""The store of this node: its folder, its key, its identity, and the threads that it needs.

Law: the folder is locked before anything in it is read, and let go as the last thing.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from relay.app.keys import KeyDesk
from relay.app.known import known_lives, known_store, remember, remember_lives, remember_store
from relay.app.machine import MachineClock, RunIn, Threads, private_files, randomness
from relay.app.settings import store_settings
from relay.config.references import References
from relay.config.service import ServiceConfig
from relay.config.store import OWN, store_address
from relay.core.keymark import KeyMark
from relay.core.limits import SECOND
from relay.errors import RelayError, StoreBroken, StoreUnavailable
from relay.observe import Log
from relay.store.alone import LoneNode
from relay.store.needs import Cipher, CrashPoint, Outside, Runner
from relay.store.ports.books import BookedStore
from relay.store.ports.events import Listener, StoreEvent
from relay.store.ports.nodes import Nodes
from relay.store.redis.address import parse_address
from relay.store.redis.durability import Durability, Flaw
from relay.store.redis.joining import Rules
from relay.store.redis.layout import Identity, scripts_version
from relay.store.redis.link import Link
from relay.store.redis.lives import Lives
from relay.store.redis.opening import Membership
from relay.store.redis.opening import open_store as open_shared
from relay.store.redis.rope import ListeningRope
from relay.store.redis.seen import Seen
from relay.store.redis.store import RedisStore
from relay.store.sqlite import DataDir, hold, open_store
from relay.store.sqlite.opening import cached
from relay.store.sqlite.reserve import Reserve, least_free_of, reserve_of
from relay.vault import Keyring, Vault

COMMITS: int = 1
"""Threads that commit: the database has one writer."""

READS: int = 4
"""Threads that read bodies: as many as a disk answers at once without queueing."""

NODE_FILE = "node"

STORE_ID_BYTES: int = 16


@dataclass(frozen=True, slots=True)
class Storage:
    """An open store; `key` is for fingerprints of credentials and as old as the store."""

    store: BookedStore
    node: str
    key: bytes = field(repr=False)
    data: DataDir
    keys: KeyDesk
    cipher: Cipher = field(repr=False)
    """For what this node keeps beside the store."""
    nodes: Nodes
    listening: "asyncio.Task[None] | None" = None
    """Hears what other nodes change, where there are any."""
    flaws: Callable[[], Sequence[Flaw]] = tuple
    """What has to be mended about a store though it works."""

    async def close(self) -> None:
        """Closes the store and lets the next relay in; clients are gone by now, told or remembered as not."""
        try:
            await self.store.books.unheard.all_told()
        finally:
            if self.listening is not None:
                self.listening.cancel()
            await self.store.close()
            self.data.release()


@dataclass(frozen=True, slots=True)
class StorageNeeds:
    """What the store of this node is opened with."""

    config: ServiceConfig
    environ: Mapping[str, str]
    clock: MachineClock
    threads: Threads
    listener: Listener
    fatal: Callable[[RelayError], None]
    crash_point: CrashPoint
    log: Log


async def open_storage(needs: StorageNeeds) -> Storage:
    """Opens the store of this node. DataDirInUse, StoreBroken, StoreError, ConfigError: nothing was begun."""
    commit = RunIn(needs.threads.pool("commit", COMMITS))
    address = store_address(needs.config.store, References(needs.environ))
    data = await commit(lambda: _hold(needs.config.data_dir))
    try:
        if address == OWN:
            return await _open(needs, data, commit)
        return await _open_shared(needs, data, commit, address)
    except BaseException:
        data.release()
        raise


class _Vaults:
    """The keys of one store, as it asks for them."""

    def __init__(self, needs: StorageNeeds) -> None:
        given = needs.environ.get("RELAY_KEY")
        self.keyring = Keyring(needs.config.key_folder, given, randomness, crash_point=needs.crash_point)
        self._made: list[Vault] = []

    def __call__(self, fingerprint: str | None, /, *older: KeyMark) -> Vault:
        self._made.append(self.keyring.vault_for(fingerprint, *older))
        return self._made[-1]

    @property
    def newest(self) -> Vault:
        """That of the store that was opened last."""
        return self._made[-1]


async def _open(needs: StorageNeeds, data: DataDir, commit: RunIn) -> Storage:
    vaults = _Vaults(needs)
    disk, settings = data.disk_bytes(), store_settings(needs.config)
    settings = replace(settings, least_free_bytes=least_free_of(disk, settings.least_free_bytes))
    reserve = Reserve(data.path, reserve_of(disk))
    await commit(reserve.keep)
    outside = Outside(
        clock=needs.clock,
        random=randomness,
        cipher_for=vaults,
        commit=commit,
        read=RunIn(needs.threads.pool("read", READS)),
        fatal=needs.fatal,
        free_bytes=cached(data.free_bytes, needs.clock.boottime, SECOND),
        listener=needs.listener,
        crash_point=needs.crash_point,
        give_up_reserve=reserve.give_up,
        keep_reserve=reserve.keep,
    )
    store = await commit(lambda: open_store(data, settings, outside))
    return _storage(
        needs, data, vaults, store, node=_node(data.path), nodes=LoneNode(needs.clock.wall), run=outside.read
    )


async def _open_shared(needs: StorageNeeds, data: DataDir, link_run: RunIn, address: str) -> Storage:
    """A store that several nodes share: one thread has the link, and the loop listens for what others change."""
    vaults, node, (known, changes) = _Vaults(needs), _node(data.path), known_store(data.path)
    seen = Seen(changes, lambda changes: remember_store(data.path, link.store_id or "", changes))
    rules = Rules(
        Durability(needs.config.durability),
        Identity(scripts_version(), known),
        lambda: randomness(STORE_ID_BYTES).hex(),
        seen,
    )
    link = Link(
        parse_address(address), rules, boottime=needs.clock.boottime, chance=_chance, crash_point=needs.crash_point
    )
    rope = ListeningRope(parse_address(address), chance=_chance)
    outside = Outside(
        clock=needs.clock,
        random=randomness,
        cipher_for=vaults,
        commit=link_run,
        read=RunIn(needs.threads.pool("read", 1)),
        fatal=needs.fatal,
        free_bytes=lambda: 1 << 62,
        listener=OnLoop(needs.listener, asyncio.get_running_loop()),
        crash_point=needs.crash_point,
    )
    lives = Lives(known_lives(data.path), lambda tokens: remember_lives(data.path, tokens))
    membership = Membership(node, randomness(8).hex(), lambda: "", lives)
    settings = store_settings(needs.config)
    store = await link_run(lambda: open_shared(link, settings, outside, membership=membership, rope=rope))
    remember_store(data.path, link.store_id or "", changes)
    nodes = store.nodes()
    listening = asyncio.get_running_loop().create_task(_listen(rope, store))
    listening.add_done_callback(lambda task: _heard_no_more(task, needs.fatal))
    storage = _storage(needs, data, vaults, store, node=node, nodes=nodes, run=outside.read, listening=listening)
    return replace(storage, flaws=lambda: (*link.problems(), *seen.flaws))


def _storage(
    needs: StorageNeeds,
    data: DataDir,
    vaults: _Vaults,
    store: BookedStore,
    *,
    node: str,
    nodes: Nodes,
    run: Runner,
    listening: "asyncio.Task[None] | None" = None,
) -> Storage:
    vault = vaults.newest
    keys = KeyDesk(vaults.keyring, vault, store.books.keys, run=run, log=needs.log)
    return Storage(store, node, vault.keyed_hash(b"fingerprints", b""), data, keys, vault, nodes, listening)


async def _listen(rope: ListeningRope, store: RedisStore) -> None:
    """Hears the bell, and what it is rung for."""
    async with asyncio.TaskGroup() as both:
        both.create_task(rope.listen())
        both.create_task(store.attend())


class OnLoop:
    """A listener that hears on the loop what the store's thread tells."""

    def __init__(self, listener: Listener, loop: asyncio.AbstractEventLoop) -> None:
        self._listener = listener
        self._loop = loop

    def __call__(self, event: StoreEvent) -> None:
        self._loop.call_soon_threadsafe(self._listener, event)


def _heard_no_more(task: "asyncio.Task[None]", fatal: Callable[[RelayError], None]) -> None:
    """A node that does not hear of changes would let mail of others wait."""
    if not task.cancelled() and (error := task.exception()) is not None:
        fatal(StoreBroken(f"nothing is heard of other nodes: {error!r}"))


def _chance() -> float:
    return int.from_bytes(randomness(4), "big") / 2**32


def _hold(path: Path) -> DataDir:
    try:
        with private_files():
            return hold(path)
    except OSError as error:
        raise _unusable(path, error) from error


def _node(data_dir: Path) -> str:
    """The identity of this node: it lives under the lock, so a restarted node takes back its own leases.

    It is on disk before anything is claimed: a node that forgot its name would wait for the leases of a stranger.
    """
    path = data_dir / NODE_FILE
    try:
        return path.read_text("ascii").strip() if path.exists() else remember(path, randomness(8).hex())
    except OSError as error:
        raise _unusable(data_dir, error) from error


def _unusable(path: Path, error: OSError) -> StoreUnavailable:
    return StoreUnavailable(f"data_dir {path} cannot be used: {(error.strerror or str(error)).lower()}")
