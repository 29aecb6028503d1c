"""Whom it is about: never judged by fewer than said, in whatever order things were seen, and more never acquits.

Law: the expectations are counted here by hand, with no line of the deciders.
"""

from hypothesis import given
from hypothesis import strategies as st

from relay.core.blocks import Blocked, blocked_together
from relay.core.expiry import is_expired_by_provider
from relay.core.foreign import Use, is_foreign
from relay.core.guard import Bounced, is_about_mailbox
from relay.core.limits import HOUR, MINUTE, Limit
from relay.core.outages import Refusal, Sent, Sighting, broken_together, is_dropping, is_of_message, refused_together
from relay.core.words import MailboxId

NOW = 1000 * HOUR
few = st.integers(0, 7).map(lambda number: MailboxId("p", str(number)))
moments = st.integers(0, 2 * HOUR).map(lambda ago: NOW - ago) | st.sampled_from(
    [NOW - 5 * MINUTE, NOW - 10 * MINUTE, NOW - 15 * MINUTE, NOW - HOUR]
)
worked = st.none() | st.sampled_from([0, HOUR, 24 * HOUR, 24 * HOUR + 1])
refusals = st.lists(
    st.builds(lambda mailbox, at, ago: Refusal(mailbox, at, None if ago is None else at - ago), few, moments, worked)
)
sightings = st.lists(st.builds(Sighting, few, moments))
likenesses = st.sampled_from([b"one", b"other"])
blocks = st.lists(st.builds(Blocked, few, moments, likenesses, st.booleans()))
bounces = st.lists(st.builds(Bounced, st.integers(0, 5).map(lambda one: bytes([one])), moments, likenesses))
active = st.integers(0, 500)


@given(refusals, active)
def test_an_auth_outage_has_its_numbers_and_only_witnesses_that_worked(seen: list[Refusal], many: int) -> None:
    found = refused_together(seen, active=many, now=NOW)
    witnesses = set()
    for each in seen:
        if each.worked_at is not None and each.at - each.worked_at <= 24 * HOUR and NOW - each.at <= 10 * MINUTE:
            witnesses.add(each.mailbox)
    is_one = len(witnesses) >= 3 and 100 * len(witnesses) >= 2 * many
    assert set(found) == (witnesses if is_one else set())


@given(refusals, active, st.randoms(use_true_random=False))
def test_the_order_in_which_refusals_came_does_not_matter(seen: list[Refusal], many: int, chance: object) -> None:
    mixed = list(seen)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert refused_together(mixed, active=many, now=NOW) == refused_together(seen, active=many, now=NOW)


@given(refusals, refusals, active)
def test_more_refusals_never_acquit_a_provider(seen: list[Refusal], more: list[Refusal], many: int) -> None:
    assert set(refused_together(seen, active=many, now=NOW)) <= set(refused_together(seen + more, active=many, now=NOW))


@given(refusals, active, st.integers(1, 100))
def test_a_mailbox_counts_once_however_often_it_is_refused(seen: list[Refusal], many: int, times: int) -> None:
    assert refused_together(seen * times, active=many, now=NOW) == refused_together(seen, active=many, now=NOW)


@given(refusals, active, active)
def test_the_more_mailboxes_work_the_more_refusals_it_takes(seen: list[Refusal], many: int, others: int) -> None:
    found = refused_together(seen, active=many + others, now=NOW)
    assert not found or found == refused_together(seen, active=many, now=NOW)


@given(sightings, sightings)
def test_broken_lines_are_a_providers_only_for_three(seen: list[Sighting], more: list[Sighting]) -> None:
    found = broken_together(seen, now=NOW)
    near = {each.mailbox for each in seen if NOW - each.at <= 5 * MINUTE}
    assert set(found) == (near if len(near) >= 3 else set())
    assert set(found) <= set(broken_together(more + seen, now=NOW))


@given(st.lists(st.builds(Sent, few, st.booleans())))
def test_drops_count_among_the_last_ten_alone(seen: list[Sent]) -> None:
    dropped = {each.mailbox for each in seen[-10:] if each.is_dropped}
    assert is_dropping(seen) == (len(dropped) >= 3)


@given(st.lists(st.sampled_from("abc")), st.sampled_from("abc"))
def test_a_message_is_to_blame_only_for_two_in_a_row_of_the_mailboxs_failures(before: list[str], message: str) -> None:
    assert is_of_message([*before, message]) == (before[-1:] == [message])


@given(blocks, active, likenesses)
def test_a_block_has_its_numbers_and_one_text(seen: list[Blocked], many: int, likeness: bytes) -> None:
    same = {each.mailbox for each in seen if each.likeness == likeness and each.is_active and NOW - each.at <= HOUR}
    is_one = len(same) >= 5 and 100 * len(same) >= 5 * many
    assert set(blocked_together(seen, likeness, active=many, now=NOW)) == (same if is_one else set())
    assert blocked_together(seen[::-1], likeness, active=many, now=NOW) == blocked_together(
        seen, likeness, active=many, now=NOW
    )


@given(bounces, likenesses, bounces)
def test_the_guard_takes_three_recipients_and_one_text(
    seen: list[Bounced], likeness: bytes, more: list[Bounced]
) -> None:
    same = {each.recipient for each in seen if each.likeness == likeness and NOW - each.at <= 15 * MINUTE}
    assert is_about_mailbox(seen, likeness, NOW) == (len(same) >= 3)
    assert is_about_mailbox(seen * 40, likeness, NOW) == (len(same) >= 3)
    assert not is_about_mailbox(seen, likeness, NOW) or is_about_mailbox(more + seen, likeness, NOW)


@given(st.lists(st.builds(lambda count, used: Use(count, min(count, used)), st.integers(1, 50), st.integers(0, 50))))
def test_using_more_never_makes_traffic_foreign(uses: list[Use]) -> None:
    more = [Use(use.count, min(use.count, use.used + 1)) for use in uses]
    assert not is_foreign(more, is_at_ease=True) or is_foreign(uses, is_at_ease=True)
    assert not is_foreign(uses, is_at_ease=False)


@given(st.lists(st.integers(0, 60 * HOUR).map(lambda ago: NOW - ago), max_size=60), st.integers(2, 40))
def test_a_burst_is_found_exactly_where_there_is_one(sent: list[int], count: int) -> None:
    found = is_expired_by_provider(
        expires_passwords=True, has_worked=True, sent=sent, limits=[Limit(count, HOUR)], now=NOW
    )
    half = (count + 1) // 2
    bursts = [
        last for last in sent if NOW - last <= 24 * HOUR and sum(last - HOUR <= each <= last for each in sent) >= half
    ]
    assert found == bool(bursts)
