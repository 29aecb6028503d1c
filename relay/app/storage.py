"""The store of this node: its folder, its key, its identity, and the threads that its disk needs.

Law: the folder is locked before anything in it is read, and let go as the last thing.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from relay.app.keys import KeyDesk
from relay.app.machine import MachineClock, RunIn, Threads, private_files, randomness
from relay.app.settings import store_settings
from relay.config.service import ServiceConfig
from relay.core.keymark import KeyMark
from relay.core.limits import SECOND
from relay.errors import RelayError, StoreUnavailable
from relay.observe import Log
from relay.store.alone import LoneNode
from relay.store.needs import Cipher, CrashPoint, Outside
from relay.store.ports.events import Listener
from relay.store.ports.nodes import Nodes
from relay.store.sqlite import DataDir, SqliteStore, hold, open_store
from relay.store.sqlite.opening import cached, sync_directory
from relay.store.sqlite.reserve import Reserve, least_free_of, reserve_of
from relay.vault import Keyring, Vault

COMMITS: int = 1
"""Threads that commit: the database has one writer."""

READS: int = 4
"""Threads that read bodies: as many as a disk answers at once without queueing."""

NODE_FILE = "node"


@dataclass(frozen=True, slots=True)
class Storage:
    """An open store; `key` is for fingerprints of credentials and as old as the store."""

    store: SqliteStore
    node: str
    key: bytes = field(repr=False)
    data: DataDir
    keys: KeyDesk
    cipher: Cipher = field(repr=False)
    """For what this node keeps beside the store."""
    nodes: Nodes

    async def close(self) -> None:
        """Closes the store and lets the next relay in; clients are gone by now, told or remembered as not."""
        try:
            await self.store.books.unheard.all_told()
        finally:
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
    """Opens the store of this node. DataDirInUse, StoreBroken, StoreError: nothing was begun."""
    commit = RunIn(needs.threads.pool("commit", COMMITS))
    data = await commit(lambda: _hold(needs.config.data_dir))
    try:
        return await _open(needs, data, commit)
    except BaseException:
        data.release()
        raise


async def _open(needs: StorageNeeds, data: DataDir, commit: RunIn) -> Storage:
    vaults: list[Vault] = []
    given = needs.environ.get("RELAY_KEY")
    keyring = Keyring(needs.config.key_folder, given, randomness, crash_point=needs.crash_point)

    def vault_for(fingerprint: str | None, /, *older: KeyMark) -> Vault:
        vaults.append(keyring.vault_for(fingerprint, *older))
        return vaults[-1]

    disk, settings = data.disk_bytes(), store_settings(needs.config)
    settings = replace(settings, least_free_bytes=least_free_of(disk, settings.least_free_bytes))
    reserve = Reserve(data.path, reserve_of(disk))
    await commit(reserve.keep)
    outside = Outside(
        clock=needs.clock,
        random=randomness,
        cipher_for=vault_for,
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
    keys = KeyDesk(keyring, vaults[-1], store.books.keys, run=outside.read, log=needs.log)
    key, nodes = vaults[-1].keyed_hash(b"fingerprints", b""), LoneNode(needs.clock.wall)
    return Storage(store, _node(data.path), key, data, keys, vaults[-1], nodes)


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
        if not path.exists():
            beside = path.with_suffix(".new")
            with beside.open("w") as file:
                file.write(randomness(8).hex())
                file.flush()
                os.fsync(file.fileno())
            beside.rename(path)
            sync_directory(data_dir)
        return path.read_text("ascii").strip()
    except OSError as error:
        raise _unusable(data_dir, error) from error


def _unusable(path: Path, error: OSError) -> StoreUnavailable:
    return StoreUnavailable(f"data_dir {path} cannot be used: {(error.strerror or str(error)).lower()}")
