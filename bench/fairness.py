"""The wait of doctor B's one mail behind doctor A's forty, and behind ten thousand, at one mail a second.

Law: both relays face the same provider; the clock runs from the end of B's submission to the provider's final reply.
"""

import time
from pathlib import Path

from bench import postfix, provider, relay
from relay.sandbox.journal import Record

A, B = "a@d.test", "b@d.test"


def wait_of_b(port: int, peer: provider.Provider, *, queued: int, seconds: float) -> tuple[float, int] | None:
    """Seconds until B's mail was taken, and how many of A's went before it; None: not within `seconds`."""
    provider.submit(port, A, messages=queued, at_once=min(20, queued))
    before = len(peer.delivered(A))
    provider.submit(port, B, messages=1)
    handed_in = time.monotonic()
    if not peer.wait_until(lambda records: any(_is_of_b(r) for r in records), seconds=seconds):
        return None
    mail = peer.delivered(B)[0]
    between = sum(1 for record in peer.delivered(A) if record["m"] <= mail["m"]) - before
    return max(0.0, mail["m"] - handed_in), between


def _is_of_b(record: Record) -> bool:
    return record["event"] == "delivered" and record["from"] == B


def measure(folder: Path) -> list[str]:
    """Rows: who, how many queued before, seconds, how many of A's mails went first."""
    rows = []
    if postfix.is_installed():
        with (
            provider.running(folder / "p") as peer,
            postfix.running(folder / "postfix", peer.port, concurrency=1, rate_delay="1s") as theirs,
        ):
            rows.append(_row("Postfix, rate delay 1 s", 40, wait_of_b(theirs.port, peer, queued=40, seconds=60)))
    for queued in (40, 10_000):
        with provider.running(folder / f"r{queued}") as peer:
            table = relay.routing(peer.port, [A, B], total_limits=["1/1s"])
            with relay.running(folder / f"relay{queued}", table) as ours:
                rows.append(_row("relay, total 1/1s", queued, wait_of_b(ours.port, peer, queued=queued, seconds=60)))
    return rows


def _row(who: str, queued: int, found: tuple[float, int] | None) -> str:
    if found is None:
        return f"| {who} | {queued:,} | not within 60 s | - |"
    return f"| {who} | {queued:,} | {found[0]:.1f} s | {found[1]} |"
