"""Rules: whole codes, whole words, bounded phrases."""

import re
from collections.abc import Iterator
from re import _constants as kinds  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.classify import Context, classify
from relay.core.limits import MINUTE
from relay.core.meaning import Action, ReplyClass, Scope, Source
from relay.core.reasons import REASONS
from relay.core.reply import read_reply
from relay.core.rules import BadPhrase, Phrases, Rule, phrases
from relay.core.words import Stage
from relay.providers import load_profiles

ALL_RULES = [*REASONS, *(rule for profile in load_profiles().values() for rule in profile.rules)]
ALL_PHRASES = [each for rule in ALL_RULES for each in (rule.text, rule.also, rule.unless) if each is not None]
SPAM = Rule(ReplyClass.SPAM_BLOCKED, text=phrases("zork"))


def judged(line: str, *rules: Rule, stage: Stage = Stage.EOD) -> Any:
    return classify(stage, read_reply(int(line[:3]), line[4:]), Context(rules=rules))


@pytest.mark.parametrize(
    ("phrase", "text", "is_there"),
    [
        ("mailbox full", "Your mailbox: full!", True),
        ("mailbox full", "mailboxes full", False),
        ("mailbox full", "fullmailbox full", False),
        ("mailbox* full", "mailboxes full", True),
        ("mailbox|casella full|piena", "la CASELLA piena", True),
        ("mailbox is? full", "mailbox full", True),
        ("mailbox is? full", "mailbox is full", True),
        ("mailbox ~ full", "mailbox of the user is full", True),
        ("mailbox ~ full", "mailbox of one of the users is full", False),
        ("e piena", "è piena", True),
        ("user doesnt exist", "User doesn't exist", True),
    ],
)
def test_a_phrase_is_found_in_whole_words(phrase: str, text: str, is_there: bool) -> None:
    rule = Rule(ReplyClass.SPAM_BLOCKED, text=phrases(phrase))
    assert (judged(f"554 {text}", rule).source is Source.PROVIDER_RULE) is is_there


@pytest.mark.parametrize(
    "phrase",
    ["", "Mailbox", "a b  c", "(a)", "a.b", "a+", "~ a", "a ~", "a? b", "a ~ b ~ c ~ d", "piè", "x" * 700, "a|"],
)
def test_what_is_no_phrase_is_refused(phrase: str) -> None:
    with pytest.raises(BadPhrase):
        phrases(phrase)


@pytest.mark.parametrize(
    ("rule", "line", "applies"),
    [
        (Rule(ReplyClass.SPAM_BLOCKED, enhanced=frozenset({"5.7.1"})), "554 5.7.1 qq", True),
        (Rule(ReplyClass.SPAM_BLOCKED, enhanced=frozenset({"5.7.1"})), "554 5.7.139 qq", False),
        (Rule(ReplyClass.SPAM_BLOCKED, enhanced=frozenset({"5.7.1"})), "554 5.7.13 qq", False),
        (Rule(ReplyClass.SPAM_BLOCKED, codes=frozenset({"554"})), "554 qq", True),
        (Rule(ReplyClass.SPAM_BLOCKED, codes=frozenset({"5"})), "554 qq", True),
        (Rule(ReplyClass.SPAM_BLOCKED, codes=frozenset({"4"})), "554 qq", False),
        (Rule(ReplyClass.SPAM_BLOCKED, codes=frozenset({"555"})), "554 qq", False),
        (Rule(ReplyClass.SPAM_BLOCKED, stages=frozenset({Stage.MAIL}), codes=frozenset({"5"})), "554 qq", False),
        (Rule(ReplyClass.SPAM_BLOCKED, text=phrases("qq"), unless=phrases("zz")), "554 qq", True),
        (Rule(ReplyClass.SPAM_BLOCKED, text=phrases("qq"), unless=phrases("zz")), "554 qq zz", False),
    ],
)
def test_every_condition_of_a_rule_has_to_hold(rule: Rule, line: str, applies: bool) -> None:
    assert (judged(line, rule).source is Source.PROVIDER_RULE) is applies


def test_the_order_is_provider_text_enhanced_basic_unknown() -> None:
    assert judged("550 5.1.1 zork: user unknown", SPAM).source is Source.PROVIDER_RULE
    assert judged("550 5.1.1 user unknown", SPAM).source is Source.TEXT_RULE
    assert judged("550 5.1.1 qq", SPAM).source is Source.ENHANCED
    assert judged("552 qq", SPAM).source is Source.BASIC
    assert judged("599 qq", SPAM).source is Source.UNKNOWN
    first = Rule(ReplyClass.GREYLISTED, text=phrases("zork"))
    assert judged("550 zork", first, SPAM).reply_class == "greylisted"


def test_a_rule_bends_what_its_class_says_and_cannot_bounce_what_is_the_mailboxs() -> None:
    bent = Rule(
        ReplyClass.SPAM_BLOCKED, text=phrases("zork"), scope=Scope.MAILBOX, action=Action.WAIT, retry_after=7 * MINUTE
    )
    found = judged("554 zork", bent)
    assert (found.scope, found.action, found.retry_after) == ("mailbox", "wait", 7 * MINUTE)
    assert judged("554 zork, wait 9 minutes", bent).retry_after == 9 * MINUTE
    slip = Rule(ReplyClass.SPAM_BLOCKED, text=phrases("zork"), scope=Scope.MAILBOX, action=Action.BOUNCE)
    assert judged("554 zork", slip).action is Action.HOLD


def test_a_rule_may_find_nonsense_at_the_login_and_bounce_nothing_for_it() -> None:
    slip = Rule(ReplyClass.PROTOCOL_ERROR, text=phrases("zork"))
    found = judged("535 zork", slip, stage=Stage.AUTH)
    assert (found.scope, found.action) == ("mailbox", "hold")
    assert found.is_read
    full = Rule(ReplyClass.RECIPIENT_UNKNOWN, text=phrases("zork"))
    assert judged("550 zork", full, stage=Stage.AUTH).action is Action.HOLD


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("450 sending limit exceeded", "rate-limited"),
        ("550 sending limit exceeded", "quota-exceeded"),
        ("550 sending limit exceeded: 100 per hour", "rate-limited"),
        ("550 limite di invio superato: 100 messaggi all'ora", "rate-limited"),
        ("550 limite orario di invio superato", "rate-limited"),
        ("450 daily sending limit exceeded", "quota-exceeded"),
        ("450 limite giornaliero di invio superato", "quota-exceeded"),
        ("450 sending limit of 500 in 24 hours exceeded", "quota-exceeded"),
        ("450 sending limit of 500 in 60 minutes exceeded", "rate-limited"),
    ],
)
def test_the_period_of_a_limit_decides_and_without_one_the_first_digit(line: str, meaning: str) -> None:
    assert judged(line, stage=Stage.MAIL).reply_class == meaning


@given(st.sampled_from(list(Stage)), st.integers(400, 599), st.text(max_size=300))
def test_no_text_breaks_it_and_nothing_of_mailbox_or_provider_bounces(stage: Stage, code: int, text: str) -> None:
    for rules in ((), tuple(ALL_RULES[::7])):
        found = classify(stage, read_reply(code, text), Context(rules=rules))
        assert found.action is not Action.BOUNCE or found.scope in (Scope.MESSAGE, Scope.RECIPIENT)


@given(
    st.sampled_from(list(Stage)),
    st.sampled_from(["450", "550", "421 4.7.0", "554 5.7.1", "552 5.2.2"]),
    st.lists(st.sampled_from(ALL_PHRASES).flatmap(lambda each: st.sampled_from(each.written)), max_size=4),
)
def test_no_mixture_of_words_that_rules_know_bounces_for_mailbox_or_provider(
    stage: Stage, code: str, said: list[str]
) -> None:
    words = " ".join(re.sub(r"\|[a-z0-9|*]+|[*~?]", " ", phrase) for phrase in said)
    found = judged(f"{code} {words}", stage=stage)
    assert found.action is not Action.BOUNCE or found.scope in (Scope.MESSAGE, Scope.RECIPIENT)


# linear time


def repeats(node: Any, depth: int = 0) -> Iterator[tuple[int, bool, int]]:
    """Depth, whether it gives back what it took, and the most times, of every repetition in a parsed pattern."""
    for kind, argument in node:
        if kind in (kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT):
            yield depth, kind is not kinds.POSSESSIVE_REPEAT, argument[1]
            yield from repeats(argument[2], depth + 1)
        elif kind is kinds.BRANCH:
            for branch in argument[1]:
                yield from repeats(branch, depth)
        elif kind is kinds.SUBPATTERN:
            yield from repeats(argument[-1], depth)
        elif kind in (kinds.ASSERT, kinds.ASSERT_NOT):
            yield from repeats(argument[1], depth)


@pytest.mark.parametrize("found", ALL_PHRASES, ids=lambda each: each.written[0][:40])
def test_no_phrase_takes_back_an_unbounded_repetition(found: Phrases) -> None:
    for _depth, can_give_back, most in repeats(parser.parse(found.pattern.pattern)):
        assert not can_give_back or most <= 4


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: f"{rule.reply_class}")
def test_a_rule_has_a_condition_on_what_was_said(rule: Rule) -> None:
    assert rule.text is not None or rule.enhanced or rule.codes
    assert rule.text is None or len(rule.text.pattern.pattern) < 40_000
