"""Suppressions: an opt-out is for good, two refusals a day apart are for two weeks, and each account has its own."""

import pytest

from relay.core.envelope import Result, Verdict
from relay.core.suppression import SuppressionKind
from relay.errors import UnknownAccount
from relay.store.ports.suppressions import Suppressions
from tests.contract.scene import BOUNCED, DELIVERED, HOUR, SECOND, A, B, Scene, account, message, result

PATIENT = "Paziente@Example.test"
DAY = 24 * HOUR // SECOND
FORTNIGHT = 14 * DAY


def _book(scene: Scene) -> Suppressions:
    return scene.books.suppressions


async def _stands(scene: Scene, sender: str = A, to: str = PATIENT) -> SuppressionKind | None:
    """What stands against somebody; memory and database agree."""
    found = await _book(scene).standing(sender, to)
    assert found is None or _book(scene).may_stand(sender, to)
    return None if found is None else found.kind


async def _end(scene: Scene, number: object, outcome: Result, sender: str = A, to: str = PATIENT) -> None:
    """A mail to somebody, and how it ended."""
    await scene.store.put(message(number, sender, to))
    assert await scene.send_all(outcome) == [f"m-{number}"]


async def who_opted_out_is_not_written_to_for_good(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    assert await _stands(scene) is None
    assert not _book(scene).may_stand(A, PATIENT)
    assert await _book(scene).opt_out(A, PATIENT)
    assert await _stands(scene) is SuppressionKind.OPTOUT
    assert await _stands(scene, B) is None
    await scene.harness.advance(100 * DAY)
    assert await _stands(scene) is SuppressionKind.OPTOUT
    assert not await _book(scene).opt_out(A, PATIENT), "said twice is said once"


async def an_opt_out_is_of_the_person_however_his_address_is_written(scene: Scene) -> None:
    await scene.route(account(A))
    await _book(scene).opt_out(A, "paziente@EXAMPLE.test")
    assert await _stands(scene, to="PAZIENTE@example.TEST") is SuppressionKind.OPTOUT
    assert await _stands(scene, to='"paziente"@example.test') is SuppressionKind.OPTOUT
    assert await _stands(scene, to=r'"pa\ziente"@Example.test') is SuppressionKind.OPTOUT
    assert await _stands(scene, to="paziente2@example.test") is None
    await _book(scene).opt_out(A, "mario@bücher.test")
    assert await _stands(scene, to="Mario@XN--bcher-kva.test") is SuppressionKind.OPTOUT
    assert await _book(scene).lift(A, '"mario"@xn--bcher-kva.test') == (SuppressionKind.OPTOUT,)


async def an_account_is_named_by_any_of_its_addresses(scene: Scene) -> None:
    await scene.route(account(A, aliases=("info@studio.test",)))
    assert await _book(scene).opt_out("Info@Studio.test", PATIENT)
    assert await _stands(scene, A) is SuppressionKind.OPTOUT
    assert len(await _book(scene).all_of("info@studio.test", most=9)) == 1
    assert await _book(scene).lift(A.upper(), PATIENT) == (SuppressionKind.OPTOUT,)


async def an_opt_out_outlives_a_crash_and_a_delivery(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    await _book(scene).opt_out(A, PATIENT)
    await scene.restart()
    assert await _stands(scene) is SuppressionKind.OPTOUT
    assert await scene.send_all(DELIVERED) == ["m-1"]
    assert await _stands(scene) is SuppressionKind.OPTOUT


async def what_is_lifted_stands_no_more(scene: Scene) -> None:
    await scene.route(account(A))
    await _book(scene).opt_out(A, PATIENT)
    assert await _book(scene).lift(A, PATIENT.upper()) == (SuppressionKind.OPTOUT,)
    assert await _stands(scene) is None
    assert not _book(scene).may_stand(A, PATIENT)
    assert await _book(scene).lift(A, PATIENT) == ()


async def one_refusal_keeps_nobody_away(scene: Scene) -> None:
    await scene.route(account(A))
    await _end(scene, 1, BOUNCED)
    await _end(scene, 2, BOUNCED)
    await scene.harness.advance(DAY - 60)
    await _end(scene, 3, BOUNCED)
    assert await _stands(scene) is None


async def two_refusals_a_day_apart_keep_him_away_for_two_weeks(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await _end(scene, 1, BOUNCED)
    await scene.harness.advance(DAY)
    await _end(scene, 2, BOUNCED)
    assert await _stands(scene) is SuppressionKind.UNKNOWN
    assert await _stands(scene, B) is None, "what one doctor was told stays his own"
    found = await _book(scene).standing(A, PATIENT)
    assert found is not None
    assert found.until is not None
    assert (found.until - found.since) // SECOND == DAY + FORTNIGHT
    await scene.restart()
    await scene.harness.advance(FORTNIGHT - 60)
    assert await _stands(scene) is SuppressionKind.UNKNOWN
    await scene.harness.advance(120)
    assert await _stands(scene) is None


async def a_refusal_after_the_two_weeks_keeps_him_away_again_at_once(scene: Scene) -> None:
    await scene.route(account(A))
    await _end(scene, 1, BOUNCED)
    await scene.harness.advance(DAY)
    await _end(scene, 2, BOUNCED)
    await scene.harness.advance(FORTNIGHT + DAY)
    await _end(scene, 3, BOUNCED)
    assert await _stands(scene) is SuppressionKind.UNKNOWN


async def a_refusal_of_long_ago_counts_no_more(scene: Scene) -> None:
    await scene.route(account(A))
    await _end(scene, 1, BOUNCED)
    await scene.harness.advance(91 * DAY)
    await _end(scene, 2, BOUNCED)
    assert await _stands(scene) is None


async def a_mail_that_arrives_makes_him_known_again(scene: Scene) -> None:
    await scene.route(account(A))
    await _end(scene, 1, BOUNCED)
    await scene.harness.advance(DAY)
    await _end(scene, 2, BOUNCED)
    assert await _stands(scene) is SuppressionKind.UNKNOWN
    await _end(scene, 3, DELIVERED)
    assert await _stands(scene) is None
    await scene.harness.advance(DAY)
    await _end(scene, 4, BOUNCED)
    assert await _stands(scene) is None, "the refusals of before are forgotten"


async def other_refusals_say_nothing_of_a_recipient(scene: Scene) -> None:
    await scene.route(account(A))
    spam = result(Verdict.BOUNCED, "recipient-refused", reply=BOUNCED.reply, stage=BOUNCED.stage)
    await _end(scene, 1, spam)
    await scene.harness.advance(DAY)
    await _end(scene, 2, spam)
    assert await _stands(scene) is None
    assert not _book(scene).may_stand(A, PATIENT)


async def what_stands_is_listed_by_hash_page_after_page(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    for name in ("anna", "bruno", "carla"):
        await _book(scene).opt_out(A, f"{name}@example.test")
    await _book(scene).opt_out(B, PATIENT)
    await _end(scene, 1, BOUNCED)
    listed = await _book(scene).all_of(A, most=10)
    hashes = [each.recipient_hash for each in listed]
    assert len(listed) == 3, "one refusal stands against nobody"
    assert hashes == sorted(hashes)
    first = (await _book(scene).all_of(A, most=1))[0]
    rest = await _book(scene).all_of(A, most=10, after=(first.recipient_hash, first.kind))
    assert [first, *rest] == list(listed)
    assert not any("example" in each.recipient_hash for each in listed)


async def an_account_that_the_routing_lacks_is_said_to_be_unknown(scene: Scene) -> None:
    await scene.route(account(A))
    for work in (_book(scene).opt_out(B, PATIENT), _book(scene).lift(B, PATIENT), _book(scene).all_of(B, most=1)):
        with pytest.raises(UnknownAccount):
            await work
    assert await _stands(scene, B) is None
