"""What must hold on the wire besides what holds in every world: octets, replies, manners.

Law: nothing here uses code of the relay; a client's bytes are held against the bytes that the provider read.
"""

from collections.abc import Iterator

from tests.simulation import invariants
from tests.simulation.wire.world import WireWorld

ADDED = frozenset({b"received", b"message-id", b"date"})
"""What the relay may put on top of this mail, which has all the rest."""


def findings(world: WireWorld) -> list[str]:
    """Every promise that was broken; empty: none."""
    checks = (_arrived_as_sent, _nothing_half_sent, _told_the_truth, _nobody_surprised, _nobody_rude, _no_complaints)
    found = [f"{check.__name__.strip('_')}: {text}" for check in checks for text in check(world)]
    return invariants.findings(world) + found


def _arrived_as_sent(world: WireWorld) -> Iterator[str]:
    """Each copy is the very octets of one try, from its sender to one of its recipients, with our lines on top."""
    senders = {mail.name: (mail.sender, mail.to) for _, mails in world.mails for mail in mails}
    for copy, (_, _, name, _) in zip(world.seen.copies, world.seen.taken, strict=True):
        if not name:
            continue
        sent = world.told.sent.get(name)
        if sent is None or not copy.content.endswith(sent):
            yield f"{name} arrived as something else"
            continue
        added = [line.partition(b":")[0].lower() for line in _unfolded(copy.content[: -len(sent)])]
        if not set(added) <= ADDED or len(added) != len(set(added)):
            yield f"{name} got {added}"
        sender, to = senders[name.rpartition(".")[0]]
        if copy.sender != sender or copy.recipient not in to:
            yield f"{name} arrived from or for somebody else"


def _unfolded(header: bytes) -> list[bytes]:
    return header.replace(b"\r\n\t", b" ").replace(b"\r\n ", b" ").splitlines()


def _nothing_half_sent(world: WireWorld) -> Iterator[str]:
    """What a client did not finish is nobody's mail."""
    known = {name for name, _ in world.mail.values()} | {name for _, _, name, _ in world.seen.taken}
    for name in sorted(known & world.told.unfinished):
        yield f"{name} was never finished, and the relay took it"


def _told_the_truth(world: WireWorld) -> Iterator[str]:
    """The id in the 250 is the id of that message, and every client was told in the end."""
    for name, identifier in world.told.ids.items():
        if world.mail.get(identifier, ("",))[0] != name:
            yield f"{name} was called {identifier}"
    for _, mails in world.mails:
        for mail in mails:
            if not mail.is_told:
                yield f"{mail.name} was never told anything"


def _nobody_surprised(world: WireWorld) -> Iterator[str]:
    yield from world.told.surprises


def _nobody_rude(world: WireWorld) -> Iterator[str]:
    yield from world.seen.rude


def _no_complaints(world: WireWorld) -> Iterator[str]:
    """Nothing failed where only the loop would notice."""
    yield from (str(complaint.get("exception") or complaint["message"]) for complaint in world.loop.complaints)
