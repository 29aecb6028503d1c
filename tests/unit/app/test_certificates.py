"""The certificate in force: read again when its files change, and never replaced by one that does not work."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from relay.admin import Readiness
from relay.app.certificates import EDIT, LOOK_EVERY, CertificateFiles, CertificateKeeper
from relay.observe import Log
from relay.submission import Certificate, CertificateTrouble
from tests.simulation.loop import VirtualLoop

LOOKS = 3 * LOOK_EVERY
"""Long enough for an edit to be seen, to stand still, and to be read."""


async def here(work: Callable[[], Any]) -> Any:
    return work()


class Place:
    """Two files, a keeper that reads them as `number of certificate` and `number of key`, and what it said."""

    def __init__(self, path: Path) -> None:
        self.certificate, self.key = path / "c.pem", path / "k.pem"
        self.reads = 0
        self.lines: list[str] = []
        self.readiness = Readiness(lambda: 0.0)
        self.keeper = CertificateKeeper(
            CertificateFiles(self.certificate, self.key, ("0.0.0.0:465", "0.0.0.0:587")),
            self.read,
            run=here,
            log=Log(self.lines.append, lambda: 0.0),
            readiness=self.readiness,
        )

    def put(self, number: int, *, key: int | None = None) -> None:
        """Renames new files over the old ones, as tools for certificates do."""
        for path, text in ((self.certificate, number), (self.key, number if key is None else key)):
            beside = path.with_suffix(".new")
            beside.write_text(str(text))
            beside.rename(path)

    def read(self, certificate: Path, key: Path) -> Certificate:
        self.reads += 1
        try:
            number, other = int(certificate.read_text()), int(key.read_text())
        except (OSError, ValueError):
            raise CertificateTrouble("no such file") from None
        if number != other:
            raise CertificateTrouble("they do not fit")
        return Certificate(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), float(number))

    @property
    def shown(self) -> float:
        return self.keeper.expiries()["0.0.0.0:465"]

    def said(self, event: str) -> int:
        return sum(f'"event":"{event}"' in line for line in self.lines)


@pytest.fixture
def run(tmp_path: Path) -> Callable[[Callable[[Place], Coroutine[Any, Any, None]]], None]:
    """Runs a scenario on virtual time, with a keeper that follows certificate 1."""

    async def staged(scenario: Callable[[Place], Coroutine[Any, Any, None]]) -> None:
        place = Place(tmp_path)
        place.put(1)
        await place.keeper.start()
        following = asyncio.create_task(place.keeper.follow())
        await scenario(place)
        following.cancel()

    def runner(scenario: Callable[[Place], Coroutine[Any, Any, None]]) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as made:
            made.run(staged(scenario))

    return runner


def test_each_listener_tells_when_its_certificate_ends(run) -> None:
    async def scenario(place: Place) -> None:
        assert place.keeper.expiries() == {"0.0.0.0:465": 1.0, "0.0.0.0:587": 1.0}

    run(scenario)


def test_nothing_is_known_before_the_start(tmp_path: Path) -> None:
    assert Place(tmp_path).keeper.expiries() == {}


def test_a_start_without_a_usable_pair_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CertificateTrouble, match="no such file"):
        asyncio.run(Place(tmp_path).keeper.start())


def test_what_does_not_change_is_read_once(run) -> None:
    async def scenario(place: Place) -> None:
        await asyncio.sleep(3600)
        assert place.reads == 1

    run(scenario)


def test_a_new_pair_is_shown_to_the_next_client(run) -> None:
    async def scenario(place: Place) -> None:
        before = place.keeper.context()
        place.put(2)
        await asyncio.sleep(LOOKS)
        assert place.shown == 2.0
        assert place.keeper.context() is not before
        assert place.said("certificate_applied") == 2

    run(scenario)


def test_a_swapped_symbolic_link_is_an_edit(run, tmp_path: Path) -> None:
    async def scenario(place: Place) -> None:
        for number in (1, 2):
            folder = tmp_path / str(number)
            folder.mkdir()
            for name in ("c.pem", "k.pem"):
                (folder / name).write_text(str(number))
        for name in ("c.pem", "k.pem"):
            (tmp_path / name).unlink()
            (tmp_path / name).symlink_to(Path("now") / name)
        (tmp_path / "now").symlink_to("1")
        await asyncio.sleep(LOOKS)
        (tmp_path / "next").symlink_to("2")
        (tmp_path / "next").replace(tmp_path / "now")
        await asyncio.sleep(LOOKS)
        assert place.shown == 2.0

    run(scenario)


def test_a_pair_that_does_not_fit_leaves_the_running_one_loudly(run) -> None:
    async def scenario(place: Place) -> None:
        place.put(2, key=3)
        await asyncio.sleep(100 * LOOKS)
        assert place.shown == 1.0
        assert place.said("certificate_refused") == 1
        (problem,) = place.readiness.problems
        assert problem.what == EDIT
        assert problem.text == "the new certificate is refused, the one before is still shown: they do not fit"
        assert place.readiness.is_ready, "clients are still served"

    run(scenario)


def test_the_trouble_ends_by_itself_with_a_pair_that_fits(run) -> None:
    async def scenario(place: Place) -> None:
        place.put(2, key=3)
        await asyncio.sleep(LOOKS)
        place.put(3)
        await asyncio.sleep(LOOKS)
        assert place.shown == 3.0
        assert place.readiness.problems == []

    run(scenario)


def test_files_that_are_gone_are_said_and_read_when_they_are_back(run) -> None:
    async def scenario(place: Place) -> None:
        place.key.unlink()
        await asyncio.sleep(LOOKS)
        assert place.shown == 1.0
        assert [problem.what for problem in place.readiness.problems] == [EDIT]
        place.put(4)
        await asyncio.sleep(LOOKS)
        assert place.shown == 4.0
        assert place.readiness.problems == []

    run(scenario)


def test_files_that_change_one_after_the_other_are_read_when_both_stand_still(run) -> None:
    async def scenario(place: Place) -> None:
        place.put(2, key=1)
        await asyncio.sleep(1.5 * LOOK_EVERY)
        place.put(2)
        await asyncio.sleep(LOOKS)
        assert place.shown == 2.0
        assert place.said("certificate_refused") == 0

    run(scenario)
