"""The log is in the kernel before the reply leaves, and can be waited for."""

import asyncio
import json
from pathlib import Path

import pytest

from relay.sandbox.journal import Journal, Record, read_log


def record(event: str, **more: object) -> Record:
    empty = dict.fromkeys(("stage", "user", "from", "rcpt", "size", "reply", "id"))
    return {"t": 1.000001, "m": 2.5, "event": event, "session": 1, **empty, **more}  # type: ignore[typeddict-item]


def anything(_: Record) -> bool:
    return True


def test_a_line_is_json_with_the_promised_keys(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "log", remember=False)
    journal.note(record("mail", user="mario", reply="250-a\n250 ü"))
    journal.flush()
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 1
    assert {"t", "event", "user", "from", "rcpt", "size", "reply", "id"} <= json.loads(lines[0]).keys()
    assert read_log(tmp_path / "log") == [record("mail", user="mario", reply="250-a\n250 ü")]
    journal.close()


def test_after_flush_the_lines_are_in_the_file_and_before_it_nobody_may_rely_on_them(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "log", remember=True)
    journal.note(record("mail"))
    journal.flush()
    journal.note(record("rcpt"))
    assert [r["event"] for r in read_log(tmp_path / "log")] == ["mail"]
    journal.close()
    journal.close()
    assert [r["event"] for r in read_log(tmp_path / "log")] == ["mail", "rcpt"]


def test_half_a_last_line_is_left_out_and_cut_off_when_the_log_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(json.dumps(record("mail")) + '\n{"t":1,"ev')
    assert [r["event"] for r in read_log(path)] == ["mail"]
    journal = Journal(path, remember=False)
    journal.note(record("rcpt"))
    journal.close()
    assert [r["event"] for r in read_log(path)] == ["mail", "rcpt"]


@pytest.mark.parametrize("text", ["", '{"half'])
def test_a_log_without_a_whole_line_is_empty(tmp_path: Path, text: str) -> None:
    (tmp_path / "log").write_text(text)
    assert read_log(tmp_path / "log") == []


async def test_waiting_counts_what_was_there_before_and_only_what_fits() -> None:
    journal = Journal(None, remember=True)
    journal.note(record("delivered", user="mario"))
    waiting = asyncio.create_task(journal.wait_for("delivered", 3, lambda r: r["user"] == "mario"))
    for more in ({"user": "mario"}, {"user": "anna"}):
        await asyncio.sleep(0)
        journal.note(record("delivered", **more))
    journal.note(record("mail", user="mario"))
    await asyncio.sleep(0)
    assert not waiting.done()
    journal.note(record("delivered", user="mario"))
    await waiting


async def test_what_has_happened_need_not_be_waited_for() -> None:
    journal = Journal(None, remember=True)
    journal.note(record("mail"))
    await journal.wait_for("mail", 1, anything)


async def test_who_gives_up_waiting_leaves_nothing_behind() -> None:
    journal = Journal(None, remember=True)
    waiting = asyncio.create_task(journal.wait_for("mail", 1, anything))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert journal._waiters == []


def test_a_journal_that_need_not_remember_keeps_nothing_but_counts(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "log", remember=False)
    journal.note(record("mail"))
    journal.close()
    assert journal.records == []
    assert journal.counts["mail"] == 1
