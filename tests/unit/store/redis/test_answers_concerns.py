"""What somebody has to know of is answered on Redis as SQLite answers it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.core.limits import HOUR
from relay.errors import RelayError, StoreBroken
from relay.store.redis.rowkeys import number_key
from tests.unit.store.redis.side import Sides, statement, tables_of

Named = dict[str, Any]
Step = tuple[str, tuple[Any, ...]]

KINDS = ("silence", "paid-until")
SUBJECTS = ("p/a", "p/b")
REASONS = (None, "", "r")
IDS = st.integers(1, 9)
TIMES = st.integers(0, 5)
PERHAPS = st.none() | TIMES
KIND, ABOUT, REASON = st.sampled_from(KINDS), st.sampled_from(SUBJECTS), st.sampled_from(REASONS)
LAST = (1 << 63) - 1
MONTH = 31 * 24 * HOUR

CONCERNS = tables_of(
    "concerns",
    8,
    id=IDS,
    kind=KIND,
    about=ABOUT,
    provider=st.sampled_from([None, "p"]),
    mailbox=st.sampled_from([None, 1, 2]),
    reason=REASON,
    closed_at=PERHAPS,
    told_at=PERHAPS,
    look_at=PERHAPS,
)
TELLINGS = tables_of(
    "tellings",
    8,
    id=IDS,
    concern=st.integers(1, 3),
    state=st.integers(0, 2),
    due_at=TIMES,
    error=st.sampled_from([None, "503"]),
    done_at=TIMES,
)

CHANGES: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "concerns.add_concern": (
        KIND,
        ABOUT,
        st.just("p"),
        st.just(1),
        st.none(),
        REASON,
        TIMES,
        PERHAPS,
        PERHAPS,
        st.just("{}"),
    ),
    "concerns.hand_over": (ABOUT, st.just(3), st.just("q"), ABOUT, st.integers(1, 2)),
    "concerns.reopen_concern": (TIMES, st.just("back"), IDS),
    "concerns.forget_concern": (TIMES, IDS),
    "concerns.replace_concern": (TIMES, TIMES, IDS),
    "concerns.renew_end": (TIMES, IDS),
    "concerns.drop_end": (IDS,),
    "concerns.note_detail": (st.just("more"), IDS),
    "concerns.close_concern": (TIMES, KIND, ABOUT),
    "concerns.look_again": (PERHAPS, IDS),
    "concerns.said": (TIMES, PERHAPS, IDS, st.integers(0, 2)),
    "concerns.unsay": (st.integers(0, 2), PERHAPS, TIMES, IDS),
    "tellings.add_telling": (st.integers(1, 3), st.integers(0, 3), st.just("{}"), TIMES),
    "tellings.hurry_tellings": (TIMES,),
    "tellings.telling_later": (TIMES, st.just("500"), IDS),
    "tellings.telling_over": (st.integers(1, 2), st.sampled_from([None, "410"]), TIMES, IDS),
    "tellings.revive": (TIMES, IDS),
    "tellings.prune_tellings": (TIMES, st.just(99)),
    "concerns.prune_concerns": (st.sampled_from([3, MONTH + 3]), st.just(99)),
}
STEPS = st.lists(
    st.sampled_from(sorted(CHANGES)).flatmap(lambda name: st.tuples(st.just(name), st.tuples(*CHANGES[name]))),
    max_size=6,
)


def laid_out(concerns: list[Named], tellings: list[Named]) -> Sides:
    """One open concern of a kind about one subject, and one notice of a word."""
    both = Sides()
    open_ones: set[tuple[str, str]] = set()
    for row in concerns:
        subject = row["kind"], row["about"]
        closed_at = 1 if row["closed_at"] is None and subject in open_ones else row["closed_at"]
        if closed_at is None:
            open_ones.add(subject)
        both.put("concerns", {**row, "closed_at": closed_at})
    words = {(row["concern"], row["word"]): row for row in tellings}
    both.put("tellings", *words.values())
    return both


def took(both: Sides, step: Step) -> bool:
    """Both took a step, or neither: where SQLite refuses a second open concern, so does Redis."""
    name, parameters = step
    asked = statement(name)
    try:
        expected = both.sqlite.write(asked, parameters)
    except RelayError:
        with pytest.raises(StoreBroken):
            both.ledger.write(asked, parameters)
        return False
    assert both.ledger.write(asked, parameters) == expected, step
    if name == "tellings.add_telling" and not expected:
        both.redis.incr(number_key("tellings"))  # SQLite numbers what it then does not insert
    return True


def same_concerns(both: Sides) -> None:
    for kind in KINDS:
        both.same("concerns.open_of_kind", (kind,), is_ordered=False)
        for about in SUBJECTS:
            both.same("concerns.open_concern", (kind, about))
            both.same("concerns.open_detail", (kind, about))
            both.same("concerns.unheard_ends", (kind, about))
            for reason in REASONS:
                both.same("concerns.last_concern", (kind, about, reason))
    for number in (1, 4, 9):
        for name in ("of_whom", "detail_of", "told_of"):
            both.same(f"concerns.{name}", (number,))
    for most in (1, 3, 99):
        both.same("concerns.due_concerns", (4, most))
        both.same("concerns.open_concerns", (LAST, most))
        both.same("concerns.open_concerns", (5, most))
    both.same("concerns.next_look")


def same_tellings(both: Sides) -> None:
    for most in (1, 3, 99):
        both.same("tellings.due_tellings", (3, most))
        both.same("tellings.dead_letters", (LAST, most))
        both.same("tellings.dead_letters", (6, most))
    for concern in (1, 2, 3):
        both.same("tellings.taken", (concern,))
        both.same("tellings.told_next", (concern,))
    both.same("tellings.next_telling")
    both.same("tellings.oldest_telling")


@settings(max_examples=25, deadline=None, derandomize=True)
@given(concerns=CONCERNS, tellings=TELLINGS, steps=STEPS)
def test_what_somebody_has_to_know_of_is_found_and_changed_the_same(concerns, tellings, steps) -> None:
    both = laid_out(concerns, tellings)
    for step in steps:
        if not took(both, step):
            return
        same_concerns(both)
        same_tellings(both)
    both.same_rows("concerns")
    both.same_rows("tellings")
    both.commit()
    same_concerns(both)
    same_tellings(both)


CONCERN = {
    "id": 1, "kind": "silence", "about": "p/a", "provider": None, "mailbox": None, "account": None, "reason": None,
    "opened_at": 0, "closed_at": 1, "told_at": None, "look_at": None, "words": 0, "detail": "{}",
}  # fmt: skip


def test_of_those_that_are_due_at_the_same_time_the_first_written_comes_first_wherever_the_list_is_cut():
    both = Sides()
    both.put("concerns", *({**CONCERN, "id": each, "look_at": 5} for each in (9, 10, 11, 100, 101)))
    for most in range(1, 6):
        assert [row[0] for row in both.same("concerns.due_concerns", (5, most))] == [9, 10, 11, 100, 101][:most]


def test_a_paid_term_that_was_told_of_is_remembered_for_a_month_more_and_some_are_forgotten_at_once():
    both = Sides()
    terms = [{**CONCERN, "id": each, "kind": "paid-until", "closed_at": MONTH} for each in range(1, 5)]
    old_terms = [{**CONCERN, "id": each, "kind": "paid-until", "closed_at": 1} for each in range(5, 8)]
    others = [{**CONCERN, "id": each, "closed_at": MONTH} for each in range(8, 13)]
    looked_at = {**CONCERN, "id": 13, "look_at": 7}
    both.put("concerns", *terms, *old_terms, *others, looked_at)
    gone = [both.ledger.write(statement("concerns.prune_concerns"), (MONTH + 2, 4)) for _ in range(3)]
    assert gone == [4, 4, 0]
    assert both.sqlite.write(statement("concerns.prune_concerns"), (MONTH + 2, 99)) == sum(gone)
    both.commit()


def test_a_word_is_said_once():
    both = Sides()
    both.put("concerns", {**CONCERN, "words": 2})
    for words, changed in ((1, 0), (2, 1), (2, 0), (3, 1)):
        assert both.wrote("concerns.said", (5, None, 1, words), tables=["concerns"]) == changed


def test_a_second_open_concern_of_a_kind_about_one_subject_is_refused():
    both = Sides()
    both.put("concerns", {**CONCERN, "closed_at": None})
    values = ("silence", "p/a", None, None, None, "r", 3, None, 3, "{}")
    assert not took(both, ("concerns.add_concern", values))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(letters=tables_of("letters", 5), messages=st.lists(st.integers(1, 12), max_size=9))
def test_which_notice_a_letter_is_and_when_one_was_written_last(letters, messages) -> None:
    both = Sides()
    both.put("letters", *letters)
    row = {"client": "c", "account": 1, "size": 1, "recipients": 1, "segment": 0, "offset": 0, "length": 1}
    row |= {"message_id_hash": b"12345678", "submitted_hash": b"", "is_dated": 0}
    for seq, concern in enumerate(messages, 1):
        told = {**row, "seq": seq, "id": f"c{concern}-17-{seq}-report-x", "kind": 1, "accepted_at": 10 + seq // 2}
        mine = {**row, "seq": 100 + seq, "id": f"0{seq}-", "kind": 0, "accepted_at": 99}
        (both.put if seq % 3 else both.own)("messages", told, mine)
    for concern in range(1, 13):
        both.same("letters.written", (f"c{concern}-", f"c{concern}."))
    both.wrote("letters.add_letter", (77, 1, 2, "reader"), tables=["letters"])
    for message in (0, 1, 2, 77):
        both.same("letters.letter_of", (message,))
    both.wrote("letters.drop_letter", (1,), tables=["letters"])
    both.wrote("letters.drop_letter", (77,), tables=["letters"])
    both.commit()
