"""One doctor with a wrong password and mails queued: what the others at the provider feel, and how it heals.

Law: the provider's log is the witness for every delivery and every refused login; rounds without and with the sick
doctor alternate in one run, and the password is corrected as an admin does it, in routing.yaml.
"""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from smtplib import SMTP

from bench import provider, relay
from relay.sandbox import judge

HEALTHY = tuple(f"dr{number}@d.test" for number in range(20))
SICK = "sick@d.test"
MAILS = 200
"""Of the healthy doctors, a round."""
QUEUED = 100
HELD = 30
"""Mails of the sick one that wait for his password to be corrected."""
QUIET = 300.0
"""Seconds for which his wrong password is left alone before it is corrected."""
BETWEEN = 20.0
"""Seconds between two rounds of the healthy meanwhile."""
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Round:
    """How long mails of healthy doctors took from `250` to the provider's final reply, seconds."""

    median: float
    p99: float


def measure(folder: Path, *, rounds: int) -> list[str]:
    """Rows: rounds without and with the sick doctor, refused logins, and the healing."""
    folder.mkdir(parents=True)
    users = folder / "users"
    users.write_text("".join(f"{name}:right\n" for name in (*HEALTHY, SICK)))
    with provider.running(folder / "p", "--users", str(users)) as peer:
        well: list[Round] = []
        ill: list[Round] = []
        for number in range(rounds):
            for with_sick, found in ((False, well), (True, ill)):
                with relay.running(folder / f"relay{number}{with_sick}", _table(peer.port, SICK)) as ours:
                    if with_sick:
                        _make_sick(ours.port, peer, QUEUED)
                    found.append(_round(ours.port, peer))
        rows = [_row("without the sick doctor", well), _row(f"beside {QUEUED} mails of a sick one", ill)]
        with relay.running(folder / "healing", _table(peer.port, SICK)) as ours:
            rows += _healing(ours, peer)
    return rows


def _table(port: int, sick: str | None) -> dict[str, object]:
    table = relay.routing(port, [*HEALTHY, SICK])
    for name, account in table["accounts"].items():
        account["password"] = "wrong" if name == sick else "right"
    return table


def _round(port: int, peer: provider.Provider) -> Round:
    """Hands in one mail after the other, of all healthy doctors in turn."""
    accepted: dict[str, float] = {}
    marker = time.monotonic_ns()
    with SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
        for number in range(MAILS):
            rcpt = f"p{marker}.{number}@r.test"
            client.sendmail(HEALTHY[number % len(HEALTHY)], rcpt, "Subject: bench\r\n\r\nbench\r\n")
            accepted[rcpt] = time.monotonic()
    taken: dict[str, float] = {}

    def are_all_taken() -> bool:
        taken.update({r["rcpt"]: r["m"] for r in peer.delivered() if r["rcpt"] in accepted})
        return len(taken) == MAILS

    _until(are_all_taken, "all mails of the healthy arrived")
    delays = sorted(max(0.0, taken[rcpt] - instant) for rcpt, instant in accepted.items())
    return Round(statistics.median(delays), delays[int(0.99 * MAILS)])


def _make_sick(port: int, peer: provider.Provider, messages: int) -> None:
    """Queues mail behind a wrong password, and returns when that was refused."""
    before = _refused(peer)
    provider.submit(port, SICK, messages=messages, at_once=10)
    _until(lambda: _refused(peer) > before, "the wrong password was tried")


def _healing(ours: relay.Relay, peer: provider.Provider) -> list[str]:
    before, logins = len(peer.delivered(SICK)), _refused(peer)
    _make_sick(ours.port, peer, HELD)
    beside = _rounds_until(time.monotonic() + QUIET, ours.port, peer)
    refused = _refused(peer) - logins
    edited = time.monotonic()
    (ours.folder / "routing.yaml").write_text(json.dumps(_table(peer.port, None)))
    _until(lambda: len(peer.delivered(SICK)) > before, "the first mail left")
    first = peer.delivered(SICK)[before]["m"] - edited
    _until(lambda: len(peer.delivered(SICK)) >= before + HELD, "all mails left")
    time.sleep(1)  # for whatever would come twice
    arrived = judge.copies(peer.delivered(SICK)[before:])
    return [
        _row(f"beside {HELD} mails of a sick one, for 5 min (goal: as without him)", beside),
        f"| refused logins in 5 min with {HELD} mails queued (goal: 1) | {refused} | - |",
        f"| password corrected in routing.yaml -> first mail at the provider (goal: < 5 s) | {first:.2f} s | - |",
        f"| of {HELD} queued arrived (goal: {HELD}) | {len(arrived)} | - |",
        f"| of them more than once (goal: 0) | {sum(many > 1 for many in arrived.values())} | - |",
    ]


def _rounds_until(end: float, port: int, peer: provider.Provider) -> list[Round]:
    found = []
    while time.monotonic() < end:
        found.append(_round(port, peer))
        time.sleep(max(0.0, min(BETWEEN, end - time.monotonic())))
    return found


def _refused(peer: provider.Provider) -> int:
    return sum(1 for r in peer.records() if r["event"] == "auth" and (r["reply"] or "").startswith("5"))


def _until(is_done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_done():
        if time.monotonic() > deadline:
            raise RuntimeError(f"it never came about that {what}")
        time.sleep(0.05)


def _row(what: str, rounds: list[Round]) -> str:
    medians, p99s = [r.median for r in rounds], [r.p99 for r in rounds]
    spread = f"{min(p99s) * 1000:.1f}-{max(p99s) * 1000:.1f}"
    return f"| {what} | {_ms(medians)} ms | {_ms(p99s)} ms ({spread}) |"


def _ms(seconds: list[float]) -> str:
    """The median, in milliseconds."""
    return f"{statistics.median(seconds) * 1000:.1f}"
