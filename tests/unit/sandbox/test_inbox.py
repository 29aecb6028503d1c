"""An accepted message is one whole file whose name starts with the time."""

import os
from pathlib import Path

import pytest

from relay.sandbox.inbox import Inbox
from tests.unit.sandbox.peer import FakeWorld, Peer, provider_of, records


def test_the_very_bytes_are_kept_under_a_name_that_starts_with_the_time(tmp_path: Path) -> None:
    message = b"Subject: \xff\r\n\r\nbare\nline\r\n"
    name = Inbox(tmp_path).keep(message, wall=1_790_000_000.5)
    assert name == "20260921T141320.500000Z-000001.eml"
    assert (tmp_path / name).read_bytes() == message


def test_a_file_is_seen_only_once_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[list[Path], bytes]] = []
    rename = os.rename

    def watched(hidden: str, name: str) -> None:
        seen.append((list(tmp_path.glob("*.eml")), Path(hidden).read_bytes()))
        rename(hidden, name)

    monkeypatch.setattr(os, "rename", watched)
    Inbox(tmp_path).keep(b"whole\r\n", wall=0.0)
    assert seen == [([], b"whole\r\n")]


def test_two_messages_of_one_instant_are_two_files_in_order(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path / "new" / "folder")
    names = [inbox.keep(b"%d" % n, wall=0.0) for n in range(12)]
    assert sorted(names) == names
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == names


def test_the_log_names_the_file_of_what_was_taken_and_refused_mail_has_none(tmp_path: Path, world: FakeWorld) -> None:
    peer = Peer(provider_of(world, inbox=tmp_path, replies=("eod:554 no*1",)))
    peer.login()
    assert peer.mail().startswith("554")
    assert list(tmp_path.iterdir()) == []
    peer.mail(b"Subject: x\r\n\r\n..dot\r\n")
    file = records(peer.provider, "delivered")[0]["file"]
    assert file is not None
    assert [path.name for path in tmp_path.iterdir()] == [file]
    assert (tmp_path / file).read_bytes() == b"Subject: x\r\n\r\n.dot\r\n"
