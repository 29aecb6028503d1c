"""Real relays on a real Redis, clients who hand mail in at all of them, and one provider whose log is the judge.

Law: what was answered 250 is noted by the client alone, and what arrived by the provider alone; what a relay says of
itself counts only where it admits a doubt.
"""

import random
import shutil
import signal
import smtplib
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import redis

from relay.sandbox import judge, read_log
from relay.sandbox.journal import Record
from relay.store.redis.rowkeys import table_key
from relay.store.redis.tables import TABLES
from tests.fakes.redisservers import until
from tests.integration.relay_process import HASTY, PATIENCE, PROGRAM, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

ACCOUNTS = ("anna@d.test", "bruno@d.test", "vendor@d.test")
PATIENT = "patient@example.org"
LIMIT = 10
"""Recipients of each mailbox in any closed second."""

TOTAL = 25
"""Of all mailboxes together."""

SESSIONS = 2
"""Of each mailbox at once."""

FINISHED = 120.0
"""Seconds for everything to arrive: what was in doubt goes after linger, and the machine is slow."""

LATER = 0.1
"""Seconds between two mails of a client, and before one that was refused or not answered tries again."""


class Store(Protocol):
    """Where the nodes keep everything."""

    @property
    def address(self) -> str: ...

    def client(self) -> redis.Redis: ...


@dataclass
class Accepted:
    """What the clients were told: the Message-ID of each mail answered 250, and the relay's own id of it."""

    ids: dict[str, str] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    """First words of every answer that was not 250."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def heard(self, name: str, code: int, reply: bytes) -> bool:
        """One answer to a message; whether it was taken."""
        text = reply.decode()
        with self._lock:
            if code == 250:
                self.ids[name] = text.rpartition(" ")[2]
            else:
                self.refused[f"{code} {text[:5]}"] += 1
        return code == 250


class World:
    """Nodes that share a store and a key, each with a folder of its own; `limits` are those of the provider."""

    def __init__(
        self, path: Path, store: Store, stack: ExitStack, *, nodes: int, limits: Sequence[str] = (f"{LIMIT}/1s",),
        provider: Sequence[str] = (), program: str = PROGRAM, **routing: object,
    ) -> None:  # fmt: skip
        self.store, self.accepted = store, Accepted()
        self._path, self._stack, self._program = path, stack, program
        self._told = [option for limit in limits for option in ("--limit", limit)]
        sandbox = SandboxProcess("--log", str(self.log), *self._told, *provider)
        stack.callback(sandbox.kill)
        self._provider = sandbox.port, tuple(limits), routing
        self.folders: list[Folder] = []
        self.nodes: list[RelayProcess] = []
        self.past: list[RelayProcess] = []
        self.add(nodes)

    @property
    def log(self) -> Path:
        """What the provider saw."""
        return self._path / "provider.jsonl"

    def seen(self) -> list[Record]:
        return read_log(self.log)

    def _folder(self, number: int) -> Folder:
        path = self._path / f"node{number}"
        path.mkdir()
        port, limits, more = self._provider
        folder = Folder(
            path, provider=port, store=self.store.address, keys_dir=str(self._path / "keys"), health=HASTY, drain="5s"
        )
        folder.routing["providers"]["lab"] |= {
            "limits": list(limits), "total_limits": [f"{TOTAL}/1s"], "connections": SESSIONS, "linger": "1s",
            "login_limit": "1000/1m", **more,
        }  # fmt: skip
        folder.write()
        return folder

    # nodes

    def add(self, many: int) -> None:
        """So many nodes more, which are ready."""
        for each in [self.join() for _ in range(many)]:
            each.wait_until_ready()

    def join(self, **environ: str) -> RelayProcess:
        """One node more; it may not be ready yet, or never be."""
        self.folders.append(self._folder(len(self.folders)))
        self.nodes.append(self._launched(self.folders[-1], **environ))
        return self.nodes[-1]

    def copy(self, number: int) -> RelayProcess:
        """One node more, with the data_dir of another as it is at this moment; it may not be ready yet."""
        self.folders.append(self._folder(len(self.folders)))
        shutil.copytree(self.folders[number].path / "var", self.folders[-1].path / "var")
        self.nodes.append(self._launched(self.folders[-1]))
        return self.nodes[-1]

    def _launched(self, folder: Folder, **environ: str) -> RelayProcess:
        relay = RelayProcess(folder.config, environ=environ, program=self._program)
        self._stack.callback(relay.kill)
        return relay

    def kill(self, number: int) -> None:
        """As a power cut ends it."""
        self.nodes[number].tell(signal.SIGKILL)
        self.nodes[number].wait()
        self.past.append(self.nodes[number])

    def start(self, number: int, **environ: str) -> RelayProcess:
        """A new life of a node that ended; it may not be ready yet, or never be."""
        self.nodes[number] = self._launched(self.folders[number], **environ)
        return self.nodes[number]

    # mail

    def submit(self, node: RelayProcess, name: str, sender: str) -> tuple[int, bytes]:
        """What the last answer to one mail was; OSError, SMTPException: there was none."""
        text = f"From: {sender}\r\nMessage-ID: {name}\r\nSubject: x\r\n\r\nbody of {name}\r\n"
        with smtplib.SMTP("127.0.0.1", port_of(node), timeout=PATIENCE) as client:
            client.ehlo()
            for code, reply in (step() for step in (lambda: client.mail(sender), lambda: client.rcpt(PATIENT))):
                if code >= 400:
                    return code, reply
            return client.data(text)

    def hand_in(self, count: int, *, name: str = "mail", is_again: bool = False) -> None:
        """So many mails, one after the other, three at each node; what is refused or not answered is dropped, or with
        `is_again` handed in at the same node as the same mail.
        """
        for number in range(count):
            self._offer(f"<{name}-{number}@d.test>", number, is_again=is_again)

    def _offer(self, name: str, number: int, *, is_again: bool) -> None:
        sender = ACCOUNTS[number % len(ACCOUNTS)]
        for _ in range(500 if is_again else 1):
            with suppress(OSError, smtplib.SMTPException):
                node = self.nodes[number // len(ACCOUNTS) % len(self.nodes)]
                if self.accepted.heard(name, *self.submit(node, name, sender)):
                    return
            if is_again:
                pause(LATER)

    @contextmanager
    def load(self, *, clients: int = 3, is_again: bool = False, name: str = "load") -> Iterator[None]:
        """While the block runs clients hand in mails; then they stop."""
        is_over = threading.Event()

        def client(which: int) -> None:
            number = 0
            while not is_over.is_set():
                self._offer(f"<{name}{which}-{number}@d.test>", which + number, is_again=is_again)
                number += 1
                is_over.wait(LATER)

        threads = [threading.Thread(target=client, args=(which,)) for which in range(clients)]
        for each in threads:
            each.start()
        try:
            yield
        finally:
            is_over.set()
            for each in threads:
                each.join(PATIENCE)

    def until_seen(self, count: int) -> None:
        """Until the provider has taken so many."""
        until(lambda: len(judge.copies(self.seen())) >= count, f"{count} have arrived")

    # the judgement

    def until_all_arrived(self) -> None:
        expected = [(name, PATIENT) for name in self.accepted.ids]
        try:
            until(lambda: not judge.lost(self.seen(), expected), "all that was accepted has arrived", FINISHED)
        except AssertionError as error:
            raise AssertionError(self._lament(judge.lost(self.seen(), expected))) from error

    def _lament(self, lost: set[judge.Key]) -> str:
        names = sorted(str(name) for name, _ in lost)[:5]
        ids = [self.accepted.ids[name] for name in names]
        lines = [
            f"{number}: {line}"
            for number, node in enumerate([*self.past, *self.nodes])
            for line in node.lines
            if any(each in line for each in ids) or '"event":"failed"' in line
        ]
        return f"{len(lost)} of {len(self.accepted.ids)} are lost: {names}\n" + "".join(lines[-60:])

    def doubts(self) -> Counter[str]:
        """How often the store has doubted whether a message was sent, by the relay's id."""
        messages, deliveries = TABLES["messages"], TABLES["deliveries"]
        found: Counter[str] = Counter()
        with self.store.client() as client:
            rows = [messages.named(messages.unpack(row)) for row in client.hvals(table_key("messages"))]
            ids = {row["seq"]: row["id"] for row in rows}
            for raw in client.hvals(table_key("deliveries")):
                row = deliveries.named(deliveries.unpack(raw))
                found[ids[row["message"]]] += row["doubts"]
        return found

    def judge(self, *, limits: Sequence[tuple[int, float]] = ((LIMIT, 1.0),), sessions: int = SESSIONS) -> None:
        """Nothing twice but what was in doubt, and never over a limit; prints the figures as one line."""
        records, doubts = self.seen(), self.doubts()
        doubled = judge.doubled(records)
        known = self.accepted.ids
        for (name, _), many in doubled.items():
            if name in known:
                assert many - 1 <= doubts[known[name]], f"{name} arrived {many} times"
        assert sum(many - 1 for many in doubled.values()) <= sum(doubts.values())
        sent = judge.sent(records)
        worst = [(max(judge.worst_windows(sent, seconds).values()), most) for most, seconds in limits]
        total = judge.worst_total(sent, 1.0)
        figures = (
            f"{len(self.accepted.ids)} accepted, {len(judge.copies(records))} arrived, {len(doubled)} twice, "
            f"{sum(doubts.values())} doubts, worst window/limit "
            + " ".join(f"{is_now}/{most}={is_now / most:.2f}" for is_now, most in worst)
            + f", total {total}/{TOTAL}, sessions {max(judge.most_sessions(records).values())}/{sessions}"
            + f", refused {dict(self.accepted.refused)}"
        )
        assert all(is_now <= most for is_now, most in worst), figures
        assert total <= TOTAL, figures
        assert not [record for record in records if record["event"] == "over-limit"], figures
        assert max(judge.most_sessions(records).values()) <= sessions, figures
        print(figures)

    def failures(self) -> str:
        """What nobody foresaw, as the nodes of all lives said it."""
        lines = [line for node in [*self.past, *self.nodes] for line in node.lines]
        return "".join(line for line in lines if '"event":"failed"' in line)


def port_of(node: RelayProcess) -> int:
    """Where it takes mail; ConnectionRefusedError: it does not yet."""
    said = [line["address"] for line in node.records if line["event"] == "listening" and line["what"] == "smtp"]
    if not said:
        raise ConnectionRefusedError
    return int(said[0].rpartition(":")[2])


def chance(seed: int) -> random.Random:
    """The same for the same seed."""
    return random.Random(seed)


def seeds_of(option: object, few: int) -> range:
    """As many rounds as `--seeds` says."""
    many = int(option) if isinstance(option, int) else few
    return range(many)


def pause(seconds: float) -> None:
    """The machine's own time has to go by: what is killed at random is killed at no event."""
    threading.Event().wait(seconds)
