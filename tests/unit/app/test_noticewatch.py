"""What of the notices has not gone out is listed as long as it has not, and stops no node."""

from relay.admin import Readiness
from relay.app.noticewatch import DEAD, UNTOLD, NoticeWatch
from relay.core.limits import HOUR, MINUTE
from relay.core.telling import NoRoad
from relay.core.webhooks import LATE
from relay.notify.post import Backlog

AT = 1_795_340_102_000_000


class World:
    """A watch whose clock stands where it is set."""

    def __init__(self) -> None:
        self.now = AT
        self.readiness = Readiness(lambda: 0.0)
        self.watch = NoticeWatch(self.readiness, lambda: self.now)

    def problems(self) -> dict[str, str]:
        self.watch.look()
        assert self.readiness.is_ready, "what cannot be told takes no node out of service"
        return {each.what: each.text for each in self.readiness.problems}


def test_a_webhook_that_takes_nothing_is_listed_after_a_quarter_of_an_hour_and_not_after_days() -> None:
    world = World()
    world.watch.backlog(Backlog(0, AT, "status-500"))
    world.now = AT + LATE - 1
    assert world.problems() == {}, "a receiver may start anew"
    world.now = AT + LATE
    assert world.problems() == {UNTOLD: "ops_webhook has not taken a notice for 15 min: status-500"}
    world.now = AT + 50 * HOUR
    assert world.problems() == {UNTOLD: "ops_webhook has not taken a notice for 50 h: status-500"}
    assert world.watch.look() == {"mail": 0.0, "webhook": 50 * 3600.0}


def test_it_is_gone_as_soon_as_nothing_waits() -> None:
    world = World()
    world.watch.backlog(Backlog(3, AT, "timeout"))
    world.now = AT + HOUR
    assert set(world.problems()) == {UNTOLD, DEAD}
    world.watch.backlog(Backlog())
    assert {each.what for each in world.readiness.problems} == set(), "before anybody looks"
    assert world.watch.look() == {"mail": 0.0, "webhook": 0.0}


def test_a_notice_that_was_not_tried_yet_has_met_nothing() -> None:
    world = World()
    world.watch.backlog(Backlog(0, AT))
    world.now = AT + 100 * MINUTE
    assert world.problems() == {UNTOLD: "ops_webhook has not taken a notice for 100 min"}


def test_people_without_a_road_are_listed_at_once_with_the_longest_wait_as_a_figure() -> None:
    world = World()
    world.watch.untold({NoRoad.STOPPED: AT - HOUR, NoRoad.NO_ADDRESS: AT})
    assert world.problems() == {UNTOLD: "somebody could not be told by mail: no-address, stopped"}
    assert world.watch.look() == {"mail": 3600.0, "webhook": 0.0}
    world.watch.backlog(Backlog(0, AT - HOUR))
    assert world.problems()[UNTOLD].endswith("no-address, stopped; ops_webhook has not taken a notice for 60 min")
    world.watch.backlog(Backlog())
    world.watch.untold({})
    assert world.problems() == {}


def test_a_clock_that_was_set_back_makes_no_negative_wait() -> None:
    world = World()
    world.watch.untold({NoRoad.ILL: AT + HOUR})
    assert world.watch.look()["mail"] == 0.0
