"""What was accepted and not heard is found again for half an hour by who sends the very same, and by nobody else."""

from relay.core.envelope import Kind
from relay.store.ports.unheard import Sending, Unheard
from tests.contract.scene import BOUNCED, DELIVERED, NODE, A, B, Scene, account, message

MINUTES = 60
PATIENT, OTHER = "Paziente@Example.test", "altro@example.test"
HASH = b"h" * 32


def _book(scene: Scene) -> Unheard:
    return scene.books.unheard


def _sending(*to: str, client: str = "studio", sender: str = A, submitted: bytes = HASH) -> Sending:
    return Sending(client, sender, frozenset(to or (PATIENT,)), submitted)


async def _first(scene: Scene, sending: Sending) -> str | None:
    """What is found; memory and database agree."""
    found = await _book(scene).first_of(sending)
    assert found is None or _book(scene).may_be(sending)
    return found


async def _put(scene: Scene, number: object = 1, *to: str) -> None:
    await scene.store.put(message(number, A, *to))


async def _long_ago(scene: Scene) -> None:
    """Whatever was accepted is older than a crash looks back."""
    await scene.harness.advance(MINUTES)
    await scene.store.heartbeat(NODE)


async def what_was_heard_is_not_found(scene: Scene) -> None:
    await scene.route(account(A))
    await _put(scene)
    assert not _book(scene).may_be(_sending())
    assert await _first(scene, _sending()) is None


async def what_was_not_heard_is_found_for_half_an_hour(scene: Scene) -> None:
    await scene.route(account(A))
    await _put(scene)
    await _book(scene).remember("m-1", _sending())
    assert await _first(scene, _sending()) == "m-1"
    await scene.harness.advance(29 * MINUTES)
    assert await _first(scene, _sending()) == "m-1"
    await scene.harness.advance(2 * MINUTES)
    assert await _first(scene, _sending()) is None


async def it_is_the_very_same_or_it_is_another(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await _put(scene, 1, PATIENT, OTHER)
    await _book(scene).remember("m-1", _sending(PATIENT, OTHER))
    assert await _first(scene, _sending(OTHER, PATIENT.replace("Example", "EXAMPLE"))) == "m-1"
    for another in (
        _sending(PATIENT),
        _sending(PATIENT, OTHER, "terzo@example.test"),
        _sending(PATIENT, OTHER, client="another"),
        _sending(PATIENT, OTHER, sender=B),
        _sending(PATIENT, OTHER, submitted=b"i" * 32),
    ):
        assert await _first(scene, another) is None


async def who_was_delivered_stays_the_first(scene: Scene) -> None:
    await scene.route(account(A))
    await _put(scene)
    await _book(scene).remember("m-1", _sending())
    await scene.send_all(DELIVERED)
    assert await _first(scene, _sending()) == "m-1"


async def whose_first_one_bounced_means_another(scene: Scene) -> None:
    await scene.route(account(A))
    await _put(scene, 1, PATIENT, OTHER)
    sending = _sending(PATIENT, OTHER)
    await _book(scene).remember("m-1", sending)
    one, other = await scene.work()
    await scene.send(one, DELIVERED)
    assert await _first(scene, sending) == "m-1"
    await scene.send(other, BOUNCED)
    assert await _first(scene, sending) is None, "one of the two got nothing"
    await _put(scene, 2, PATIENT, OTHER)
    await _book(scene).remember("m-2", sending)
    assert await _first(scene, sending) == "m-2"


async def it_survives_a_crash_and_ends_at_the_same_time(scene: Scene) -> None:
    await scene.route(account(A))
    await _put(scene)
    await _long_ago(scene)
    await _book(scene).remember("m-1", _sending())
    await scene.harness.advance(20 * MINUTES)
    await scene.restart()
    assert await _first(scene, _sending()) == "m-1"
    await scene.harness.advance(11 * MINUTES)
    assert await _first(scene, _sending()) is None


async def who_was_told_after_all_means_another(scene: Scene) -> None:
    await scene.route(account(A))
    await _put(scene)
    await _long_ago(scene)
    await _book(scene).remember("m-1", _sending())
    await _book(scene).forget("m-1")
    assert not _book(scene).may_be(_sending())
    await scene.restart()
    assert await _first(scene, _sending()) is None


async def what_came_in_just_before_a_crash_may_not_have_been_heard(scene: Scene) -> None:
    await scene.route(account(A))
    await _put(scene)
    await scene.restart()
    assert await _first(scene, _sending()) == "m-1"
    await scene.harness.advance(31 * MINUTES)
    assert await _first(scene, _sending()) is None


async def its_half_an_hour_begins_when_it_came_in_and_not_at_the_restart(scene: Scene) -> None:
    await scene.route(account(A))
    await _put(scene)
    await scene.harness.advance(20 * MINUTES)
    await scene.restart()
    assert await _first(scene, _sending()) == "m-1"
    await scene.harness.advance(11 * MINUTES)
    assert await _first(scene, _sending()) is None


async def of_what_came_in_before_a_long_silence_nobody_is_in_doubt(scene: Scene) -> None:
    await scene.route(account(A))
    await _put(scene)
    await scene.harness.advance(31 * MINUTES)
    await scene.restart()
    assert not _book(scene).may_be(_sending())


async def what_came_in_long_before_a_crash_was_heard(scene: Scene) -> None:
    await scene.route(account(A))
    await _put(scene)
    await _long_ago(scene)
    await scene.restart()
    assert await _first(scene, _sending()) is None


async def a_report_of_ours_has_no_client(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.store.put(message(1, A, kind=Kind.REPORT))
    await scene.restart()
    assert not _book(scene).may_be(_sending())


async def after_a_stop_in_good_order_nobody_is_in_doubt(scene: Scene) -> None:
    await scene.route(account(A))
    await _put(scene)
    await _book(scene).remember("m-1", _sending())
    await _put(scene, 2)
    await _book(scene).all_told()
    await scene.restart()
    assert await _first(scene, _sending()) == "m-1", "who was known to be in doubt stays so"
    await _book(scene).forget("m-1")
    assert await _first(scene, _sending()) is None


async def of_two_that_are_the_same_the_one_not_heard_is_found(scene: Scene) -> None:
    await scene.route(account(A))
    await _put(scene, 1)
    await _put(scene, 2)
    await _book(scene).remember("m-2", _sending())
    assert await _first(scene, _sending()) == "m-2"
