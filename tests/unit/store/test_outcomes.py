"""The journal of outcomes: what was kept is there after any crash, and what was not is never taken for it."""

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.envelope import Claim, Envelope, Recipient, Result, Verdict
from relay.core.reply import Reply
from relay.core.words import Lane, MailboxId, Stage
from relay.errors import CorruptValue, StoreFull, StoreUnavailable
from relay.store.needs import Runner
from relay.store.outcomes import OutcomeJournal, read_outcome, write_outcome
from relay.store.outcomes import journal as journal_module
from relay.store.outcomes.frames import frame, frames
from relay.store.ports.outcomes import Outcome
from relay.vault import Vault

T = TypeVar("T")
PATIENT = "paziente@example.org"


def outcome(number: int = 1, verdict: Verdict = Verdict.DELIVERED, *, reply: Reply | None = None) -> Outcome:
    claim = Claim(
        attempt=number, delivery=number, message=f"m{number}", mailbox=MailboxId("aruba", "rossi@studio.it"),
        account="rossi@studio.it", lane=Lane.BULK, node="node-1",
        envelope=Envelope("rossi@studio.it", (Recipient(PATIENT, ("FAILURE", "DELAY"), "rfc822;x"),), envid="e"),
        size=10, tries=1, doubts=0, is_probe=True,
    )  # fmt: skip
    result = Result(
        verdict, "delivered", Stage.EOD, reply, is_mail_written=True, is_end_known=True, retry_after=5,
        said="550 <paziente@example.org> no",
    )  # fmt: skip
    return Outcome(claim, result, 0.5)


async def at_once(work: Callable[[], T]) -> T:
    return work()


def vault() -> Vault:
    return Vault(b"k" * 32, os.urandom)


def journal(path: Path, *, run: Runner = at_once) -> OutcomeJournal:
    return OutcomeJournal(path / "outcomes", vault(), place=b"here", run=run)


async def reopened(path: Path) -> list[Outcome]:
    again = journal(path)
    assert await again.open() is None
    return list(again.kept())


# one record


@pytest.mark.parametrize("reply", [None, Reply(250, "2.0.0", "Ok: queued \udc80"), Reply(550, None, "no")])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_an_outcome_is_read_back_as_it_was_written(verdict: Verdict, reply: Reply | None) -> None:
    it = outcome(7, verdict, reply=reply)
    assert read_outcome(write_outcome(it)) == it


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff", b'{"version":2}', write_outcome(outcome())[:-9] + b"}"]
)
def test_what_is_no_outcome_is_corrupt_and_nothing_else(content: bytes) -> None:
    with pytest.raises(CorruptValue):
        read_outcome(content)


# the form


@given(st.lists(st.binary(max_size=60), max_size=6), st.data())
def test_any_prefix_of_a_journal_has_whole_records_only(records: list[bytes], data: st.DataObject) -> None:
    lines = [frame(record) for record in records]
    content = b"".join(lines)
    cut = data.draw(st.integers(0, len(content)))
    whole, left = 0, cut
    while whole < len(lines) and left >= len(lines[whole]):
        left -= len(lines[whole])
        whole += 1
    assert [record for _, record in frames(content[:cut])] == records[:whole]


@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=6), st.data())
def test_whatever_byte_is_damaged_no_record_is_another_and_the_others_are_read(
    records: list[bytes], data: st.DataObject
) -> None:
    content = bytearray(b"".join(map(frame, records)))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    found = [record for _, record in frames(bytes(content)) if record is not None]
    assert all(record in records for record in found)
    assert len(found) >= len(records) - 2, "a line feed that is gone joins two"


# the journal


async def test_what_was_kept_is_there_in_the_next_life_in_its_order(tmp_path: Path) -> None:
    first = journal(tmp_path)
    assert await first.open() is None
    for number in range(3):
        await first.keep(outcome(number))
    assert await reopened(tmp_path) == [outcome(number) for number in range(3)]


async def test_nothing_of_it_can_be_read_without_the_key_or_elsewhere(tmp_path: Path) -> None:
    first = journal(tmp_path)
    await first.open()
    await first.keep(outcome())
    content = (tmp_path / "outcomes").read_bytes()
    assert PATIENT.encode() not in content
    assert (tmp_path / "outcomes").stat().st_mode & 0o777 == 0o600
    elsewhere = OutcomeJournal(tmp_path / "outcomes", vault(), place=b"there", run=at_once)
    quarantine = await elsewhere.open()
    assert quarantine is not None
    assert (elsewhere.kept(), quarantine.records) == ((), 1)


async def test_it_is_emptied_only_when_the_store_has_all(tmp_path: Path) -> None:
    it = journal(tmp_path)
    await it.open()
    first, second = outcome(1), outcome(2)
    await it.keep(first)
    await it.keep(second)
    await it.settled(first)
    assert it.kept() == (second,)
    assert await reopened(tmp_path) == [first, second], "a crash now settles both again, which is harmless"
    await it.settled(second)
    assert (tmp_path / "outcomes").stat().st_size == 0
    await it.keep(outcome(3))
    assert await reopened(tmp_path) == [outcome(3)]
    await it.close()


async def test_a_torn_last_record_is_ignored_and_the_next_one_takes_its_place(tmp_path: Path) -> None:
    it = journal(tmp_path)
    await it.open()
    for number in range(2):
        await it.keep(outcome(number))
    file = tmp_path / "outcomes"
    file.write_bytes(file.read_bytes()[:-20])
    again = journal(tmp_path)
    assert await again.open() is None
    assert list(again.kept()) == [outcome(0)]
    await again.keep(outcome(5))
    assert await reopened(tmp_path) == [outcome(0), outcome(5)]


async def test_a_damaged_middle_is_told_and_put_aside_and_the_others_are_there(tmp_path: Path) -> None:
    it = journal(tmp_path)
    await it.open()
    for number in range(3):
        await it.keep(outcome(number))
    file = tmp_path / "outcomes"
    lines = file.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1][:40] + b"AAAA" + lines[1][44:]
    file.write_bytes(b"".join(lines))
    again = journal(tmp_path)
    quarantine = await again.open()
    assert quarantine is not None
    assert quarantine.records == 1
    assert quarantine.path.read_bytes() == b"".join(lines), "all of it is kept for whoever looks into it"
    assert list(again.kept()) == [outcome(0), outcome(2)]
    await again.keep(outcome(4))
    assert await reopened(tmp_path) == [outcome(0), outcome(2), outcome(4)], "it is told once"


async def test_those_that_come_while_the_disk_is_busy_are_written_together(tmp_path: Path) -> None:
    runs, release = 0, asyncio.Event()

    async def slowly(work: Callable[[], T]) -> T:
        nonlocal runs
        runs += 1
        await release.wait()
        return work()

    it = journal(tmp_path, run=slowly)
    release.set()
    await it.open()
    release.clear()
    keeping = [asyncio.ensure_future(it.keep(outcome(number))) for number in range(10)]
    await asyncio.sleep(0.01)
    assert runs == 2, "opened, and one write is under way"
    assert it.kept() == ()
    release.set()
    await asyncio.gather(*keeping)
    assert runs <= 3
    assert len(await reopened(tmp_path)) == 10


async def test_who_is_cancelled_has_kept_it_all_the_same(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def slowly(work: Callable[[], T]) -> T:
        await release.wait()
        return work()

    it = journal(tmp_path, run=slowly)
    release.set()
    await it.open()
    release.clear()
    keeping = asyncio.ensure_future(it.keep(outcome()))
    await asyncio.sleep(0)
    keeping.cancel()
    release.set()
    await asyncio.wait([keeping])
    await it.close()
    assert await reopened(tmp_path) == [outcome()]


@pytest.mark.parametrize(("number", "error"), [(errno.ENOSPC, StoreFull), (errno.EIO, StoreUnavailable)])
async def test_what_the_disk_refuses_is_not_kept_and_spoils_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    it = journal(tmp_path)
    await it.open()
    await it.keep(outcome(1))

    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", fail)
        with pytest.raises(error):
            await it.keep(outcome(2))
    assert it.kept() == (outcome(1),)
    await it.keep(outcome(3))
    assert await reopened(tmp_path) == [outcome(1), outcome(3)]


async def test_it_grows_no_further_than_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "MOST_BYTES", 1_500)
    it = journal(tmp_path)
    await it.open()
    await it.keep(outcome(1))
    with pytest.raises(StoreFull):
        await it.keep(outcome(2))
    assert (tmp_path / "outcomes").stat().st_size <= 1_500


async def test_a_disk_that_cannot_even_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "outcomes").mkdir()
    with pytest.raises(StoreUnavailable, match="journal of outcomes"):
        await journal(tmp_path).open()
