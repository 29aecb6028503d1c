"""Reads routing.yaml or a folder of it: `load_routing(path, resolve) -> Loaded[Routing]`; `RoutingLoader` reads again.

Law: the routing is checked whole; what is wrong with one account's credentials is a warning, any other fault refuses
all files. A file whose bytes did not change is not read again; its accounts are kept while plans and providers stay.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

from relay.config.accounts import Worked, work_in
from relay.config.contracts import check_contracts
from relay.config.files import said
from relay.config.ground import Ground, check_plans, lay_ground
from relay.config.lasting import lasting_problems
from relay.config.part import SECTION_NAMES, Entry, Part, read_part
from relay.config.problems import START, Loaded, Problem, Report, has_errors, in_order
from relay.config.references import Resolve
from relay.config.service import Queue
from relay.config.unresolved import credential_problems
from relay.core.routing import Client, Routing
from relay.providers import Profile, load_profiles

ReadParts = Callable[[Sequence[tuple[str, bytes]]], Iterable[Part]]
"""Reads files as `read_part` does, perhaps in other processes."""


def load_routing(path: str | Path, resolve: Resolve) -> Loaded[Routing]:
    """The routing that a file or folder describes, None where an error refuses it, and every problem, sorted."""
    return RoutingLoader(path).load(resolve)


def read_parts_here(files: Sequence[tuple[str, bytes]]) -> list[Part]:
    """Reads files one after the other in this process."""
    return [read_part(file, content) for file, content in files]


class RoutingLoader:
    """Loads one routing again and again; remembers each file's part by its bytes."""

    def __init__(self, path: str | Path, read_parts: ReadParts = read_parts_here) -> None:
        self._path = Path(path)
        self._read_parts = read_parts
        self._profiles: dict[str, Profile] = load_profiles()
        self._parts: dict[str, tuple[bytes, Part]] = {}
        self._ground: Ground | None = None
        self._worked: dict[str, tuple[Part, Worked]] = {}

    def load(self, resolve: Resolve) -> Loaded[Routing]:
        """As `load_routing`."""
        reports = _Reports()
        self._read(reports)
        parts = [part for _, part in self._parts.values()]
        clients = _merge(parts, reports)
        ground = lay_ground(parts, self._profiles, reports.of)
        check_plans(parts, ground, reports.of)
        worked = self._work_in(parts, ground)
        _check_addresses(parts, worked, reports)
        check_contracts(parts, worked, ground, report_of=reports.of)
        problems = [problem for found in (*parts, *worked, *reports) for problem in found.problems]
        if has_errors(problems):
            return Loaded(None, in_order(problems))
        routing = _routing(clients, ground, worked)
        return Loaded(routing, in_order([*problems, *credential_problems(routing, parts, worked, resolve)]))

    @property
    def digest(self) -> str:
        """Of the names and bytes of the files that were read last."""
        told = hashlib.blake2b(digest_size=32)
        for file in sorted(self._parts):
            told.update(Path(file).name.encode() + b"\0" + self._parts[file][0])
        return told.hexdigest()

    def lasting(self, queue: Queue, today: date) -> list[Problem]:
        """What is wrong of time in the files that were read last."""
        return lasting_problems([part for _, part in self._parts.values()], queue, today)

    def _read(self, reports: "_Reports") -> None:
        """Brings the parts up to the bytes on disk; what cannot be read is reported."""
        contents = dict(_contents(self._path, reports))
        digests = {file: hashlib.blake2b(content, digest_size=32).digest() for file, content in contents.items()}
        changed = [file for file in contents if self._parts.get(file, (b"",))[0] != digests[file]]
        parts = {part.file: part for part in self._read_parts([(file, contents[file]) for file in changed])}
        self._parts = {file: (digests[file], parts[file]) if file in parts else self._parts[file] for file in contents}

    def _work_in(self, parts: Sequence[Part], ground: Ground) -> list[Worked]:
        if ground != self._ground:
            self._ground, self._worked = ground, {}
        kept = self._worked
        self._worked = {
            part.file: kept[part.file]
            if part.file in kept and kept[part.file][0] is part
            else (part, work_in(part, ground))
            for part in parts
        }
        return [worked for _, worked in self._worked.values()]


class _Reports:
    """One report for each file, of what shows only when all files are together."""

    def __init__(self) -> None:
        self._by_file: dict[str, Report] = {}

    def of(self, file: str) -> Report:
        return self._by_file.setdefault(file, Report(file))

    def __iter__(self) -> Iterator[Report]:
        return iter(self._by_file.values())


def routing_files(path: Path) -> list[Path]:
    """What makes up a routing: the file itself, or the folder's *.yaml by name. OSError: it cannot be listed."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if file.suffix == ".yaml" and not file.name.startswith("."))


def _contents(path: Path, reports: _Reports) -> Iterator[tuple[str, bytes]]:
    try:
        files = routing_files(path)
        if not files:
            reports.of(str(path)).error(START, "no *.yaml in this folder")
        for file in sorted(path.glob("*.yml")):
            reports.of(str(file)).warning(START, "not read: the files of a folder are *.yaml")
    except OSError as error:
        reports.of(str(path)).error(START, f"cannot be read: {said(error)}")
        return
    for file in files:
        try:
            yield str(file), file.read_bytes()
        except OSError as error:
            reports.of(str(file)).error(START, f"cannot be read: {said(error)}")


def _merge(parts: Sequence[Part], reports: _Reports) -> dict[str, Entry]:
    """Reports names that stand in two files; returns the clients of all."""
    clients: dict[str, Entry] = {}
    for section, one in SECTION_NAMES.items():
        if not _has_doubles([getattr(part, section) for part in parts]):
            continue
        first: dict[str, str] = {}
        for part in parts:
            entries: dict[str, Entry] = getattr(part, section)
            for name in sorted(first.keys() & entries.keys()):
                text = f"duplicate {one} {name!r}, first in {first[name]}"
                reports.of(part.file).error(entries[name].marks[""], text)
            first.update((name, part.file) for name in entries if name not in first)
    for part in parts:
        clients |= part.clients
    return clients


def _has_doubles(tables: Sequence[Collection[str]]) -> bool:
    """Whether a name stands in two of them; a hundred thousand names are looked at one by one only where it does."""
    return len(set[str]().union(*tables)) != sum(map(len, tables))


def _check_addresses(parts: Sequence[Part], worked: Sequence[Worked], reports: _Reports) -> None:
    """Reports an address that finds accounts in two files."""
    if not _has_doubles([own.addresses for own in worked]):
        return
    first: dict[str, str] = {}
    for part, own in zip(parts, worked, strict=True):
        for address in sorted(first.keys() & own.addresses.keys()):
            sender, other = own.addresses[address], first[address]
            if sender != other:
                mark = part.accounts[sender].mark(f"address {address}")
                reports.of(part.file).error(mark, f"the address {address!r} belongs to account {other!r}")
        first.update(own.addresses)


def _routing(clients: dict[str, Entry], ground: Ground, worked: Sequence[Worked]) -> Routing:
    accounts = {sender: account for own in worked for sender, account in own.accounts.items()}
    used = frozenset[str]().union(*(own.providers for own in worked))
    routing = Routing(
        {name: Client(name=name, **(entry.values or {})) for name, entry in clients.items()},
        {
            name: provider
            for name, provider in ground.providers.items()
            if provider is not None and (name in used or name not in ground.built_in)
        },
        accounts,
    )
    _ = routing.by_address, routing.by_mailbox  # made here, off the loop, where the first mail would wait for them
    return routing
