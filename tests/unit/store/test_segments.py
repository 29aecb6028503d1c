import ctypes
import errno
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from relay.errors import CorruptValue, StoreBroken, StoreFull, StoreUnavailable
from relay.store.segments import Place, Segments
from relay.store.segments.files import FileSegments
from relay.store.segments.memory import MemorySegments


@pytest.fixture(params=["files", "memory"])
def segments(request: pytest.FixtureRequest, tmp_path: Path) -> Segments:
    made: Segments = FileSegments(tmp_path / "segments", limit=100) if request.param == "files" else MemorySegments(100)
    made.begin(1)
    return made


def test_what_was_synced_is_read_back_by_its_place(segments: Segments) -> None:
    places = [segments.append(record) for record in (b"one", b"", b"three")]
    segments.sync()
    assert [segments.read(place) for place in places] == [b"one", b"", b"three"]
    assert not segments.is_dirty


def test_records_follow_each_other_and_a_full_segment_is_left(segments: Segments) -> None:
    places = [segments.append(b"x" * 60) for _ in range(3)]
    segments.sync()
    assert [place.segment for place in places] == [1, 2, 3]
    assert all(segments.read(place) == b"x" * 60 for place in places)
    assert tuple(segments.numbers()) == (1, 2, 3)


def test_what_lies_behind_the_end_of_what_is_known_can_go(segments: Segments) -> None:
    first, second = segments.append(b"one"), segments.append(b"two")
    segments.sync()
    segments.begin(2)
    segments.cut(first.segment, 3)
    assert segments.read(first) == b"one"
    with pytest.raises(CorruptValue):
        segments.read(second)
    for segment, end in ((first.segment, 100), (99, 0)):
        segments.cut(segment, end)
    assert segments.read(first) == b"one"


def test_a_record_larger_than_a_segment_has_one_of_its_own(segments: Segments) -> None:
    segments.append(b"small")
    large, after = segments.append(b"x" * 500), segments.append(b"after")
    segments.sync()
    assert segments.read(large) == b"x" * 500
    assert after.segment > large.segment


def test_what_was_discarded_is_in_nobodys_way(segments: Segments) -> None:
    kept = segments.append(b"kept")
    segments.sync()
    segments.append(b"given up")
    segments.discard()
    assert not segments.is_dirty
    later = segments.append(b"later")
    segments.sync()
    assert (segments.read(kept), segments.read(later)) == (b"kept", b"later")
    assert later.segment > kept.segment


def test_a_record_that_is_not_there_is_corrupt(segments: Segments) -> None:
    place = segments.append(b"record")
    segments.sync()
    with pytest.raises(CorruptValue):
        segments.read(Place(place.segment, place.offset, 7))
    with pytest.raises(CorruptValue):
        segments.read(Place(99, 0, 1))


def test_a_punched_span_is_gone_and_its_neighbours_are_not(segments: Segments) -> None:
    places = [segments.append(letter * 10) for letter in (b"a", b"b", b"c")]
    segments.sync()
    segments.punch(1, [(places[1].offset, places[1].length)])
    assert [segments.read(place) for place in places] == [b"a" * 10, bytes(10), b"c" * 10]


def test_a_removed_segment_is_gone_and_may_be_removed_again(segments: Segments) -> None:
    place = segments.append(b"record")
    segments.sync()
    segments.remove(1)
    segments.remove(1)
    segments.punch(1, [(0, 1)])
    assert tuple(segments.numbers()) == ()
    with pytest.raises(CorruptValue):
        segments.read(place)


# on files


def opened(folder: Path, **more: object) -> FileSegments:
    made = FileSegments(folder, **more)  # type: ignore[arg-type]
    made.begin(1)
    return made


def test_a_file_from_before_a_start_is_never_appended_to(tmp_path: Path) -> None:
    before = opened(tmp_path)
    first = before.append(b"before")
    before.sync()
    before.close()
    after = opened(tmp_path)
    second = after.append(b"after")
    after.sync()
    assert second.segment == first.segment + 1
    assert after.read(first) == b"before"
    after.close()


def test_a_start_never_goes_below_what_the_store_knows(tmp_path: Path) -> None:
    made = FileSegments(tmp_path)
    made.begin(7)
    assert made.append(b"x").segment == 7


def test_a_full_disk_takes_nothing_and_leaves_what_was_there(tmp_path: Path) -> None:
    full: list[bool] = []

    def write(descriptor: int, records: Sequence[bytes]) -> int:
        if full:
            os.write(descriptor, b"half a rec")
            raise OSError(errno.ENOSPC, "no space")
        return os.writev(descriptor, records)

    made = opened(tmp_path, write=write)
    kept = made.append(b"kept")
    made.sync()
    full.append(True)
    made.append(b"too much")
    with pytest.raises(StoreFull):
        made.sync()
    full.clear()
    later = made.append(b"later")
    made.sync()
    assert (made.read(kept), made.read(later)) == (b"kept", b"later")
    made.close()


def test_a_disk_that_fails_is_not_tried_again(tmp_path: Path) -> None:
    def write(descriptor: int, records: Sequence[bytes]) -> int:
        raise OSError(errno.EIO, "i/o error")

    made = opened(tmp_path, write=write)
    made.append(b"record")
    with pytest.raises(StoreBroken, match="cannot be written"):
        made.sync()


def test_a_short_write_is_continued(tmp_path: Path) -> None:
    def stingy(descriptor: int, records: Sequence[bytes]) -> int:
        return os.write(descriptor, b"".join(records)[:3])

    made = opened(tmp_path, write=stingy)
    places = [made.append(record) for record in (b"first", b"second", b"third")]
    made.sync()
    assert [made.read(place) for place in places] == [b"first", b"second", b"third"]
    made.close()


def test_more_records_than_one_call_takes(tmp_path: Path) -> None:
    made = opened(tmp_path)
    places = [made.append(f"{number}".encode()) for number in range(3000)]
    made.sync()
    assert made.read(places[2999]) == b"2999"
    made.close()


def test_files_are_the_relays_own(tmp_path: Path) -> None:
    made = opened(tmp_path / "segments")
    made.append(b"x")
    made.sync()
    made.close()
    assert (tmp_path / "segments").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "segments" / "00000001.seg").stat().st_mode & 0o777 == 0o600


def test_punching_gives_space_back(tmp_path: Path) -> None:
    made = opened(tmp_path)
    made.append(b"x" * 65536)
    made.sync()
    file = tmp_path / "00000001.seg"
    before = file.stat().st_blocks
    made.punch(1, [(0, 65536)])
    assert file.stat().st_blocks < before
    assert file.stat().st_size == 65536
    made.close()


def test_a_file_that_cannot_be_read_for_now_is_not_called_corrupt(tmp_path: Path) -> None:
    (tmp_path / "00000001.seg").mkdir()
    made = FileSegments(tmp_path)
    with pytest.raises(StoreUnavailable):
        made.read(Place(1, 0, 1))
    with pytest.raises(StoreUnavailable):
        made.remove(1)


def test_every_durable_step_is_passed_in_order(tmp_path: Path) -> None:
    passed: list[str] = []
    made = opened(tmp_path, crash_point=passed.append)
    made.append(b"x")
    made.sync()
    made.append(b"y")
    made.sync()
    made.punch(1, [(0, 1)])
    made.remove(1)
    made.close()
    assert passed == [
        "segment-created", "segment-written", "segment-synced", "segment-written", "segment-synced",
        "segment-punched", "segment-removed",
    ]  # fmt: skip


def test_on_a_full_disk_what_was_half_written_is_cut_off(tmp_path: Path) -> None:
    full: list[bool] = []

    def write(descriptor: int, records: Sequence[bytes]) -> int:
        if full:
            os.write(descriptor, b"half a rec")
            raise OSError(errno.ENOSPC, "no space")
        return os.writev(descriptor, records)

    made = opened(tmp_path, write=write)
    made.append(b"kept")
    made.sync()
    full.append(True)
    made.append(b"too much")
    with pytest.raises(StoreFull):
        made.sync()
    assert (tmp_path / "00000001.seg").read_bytes() == b"kept"


@pytest.mark.parametrize(("number", "is_said"), [(errno.EOPNOTSUPP, False), (errno.EIO, True)])
def test_a_file_system_without_holes_is_no_trouble(tmp_path: Path, number: int, *, is_said: bool) -> None:
    made = opened(tmp_path)
    made.append(b"x" * 10_000)
    made.sync()

    class Libc:
        """A kernel that refuses."""

        def fallocate(self, *_: object) -> int:
            ctypes.set_errno(number)
            return -1

    made._libc = Libc()  # type: ignore[assignment]
    if is_said:
        with pytest.raises(StoreUnavailable, match="punched"):
            made.punch(1, [(0, 4096)])
    else:
        made.punch(1, [(0, 4096), (4096, 4096)])
    made.close()


def test_what_is_set_aside_has_its_own_name_and_replaces_nothing(tmp_path: Path) -> None:
    made = FileSegments(tmp_path / "segments")
    made.begin(1)
    made.append(b"x" * 100)
    made.sync()
    (tmp_path / "aside").mkdir()
    (tmp_path / "aside" / "00000001.seg").write_bytes(b"of another time")
    assert (made.data_behind(1, 40), made.data_behind(1, 100), made.data_behind(2, 0)) == (60, 0, 0)
    assert not made.is_aside(1)
    for _ in range(2):
        made.set_aside(1, is_needed=True)
    assert made.is_aside(1)
    made.set_aside(1, is_needed=False)
    assert made.numbers() == ()
    assert (tmp_path / "aside" / "00000001.seg").read_bytes() == b"of another time"
    assert (tmp_path / "aside" / "00000001.seg.1").read_bytes() == b"x" * 100
    assert len(list((tmp_path / "aside").iterdir())) == 2
    made.close()
