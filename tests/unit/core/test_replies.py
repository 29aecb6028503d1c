"""What real replies mean: each collection is judged as people labelled it, by side."""

from collections import Counter

import pytest

from relay.core.classify import Context, classify
from relay.core.meaning import ReplyClass, Source
from relay.providers import load_profiles
from tests.replies import GATHERED, LABELLED, Sample, samples

PROFILES = load_profiles()
SIDES = ("submission", "mx", "synthetic")
LEAST = 0.99
"""Of what was gathered: one text says nothing of its reason, and a rule for it would be about one text."""


def meaning(sample: Sample, *, has_worked: bool = False) -> ReplyClass:
    profile = PROFILES.get(sample.provider)
    context = Context(sample.provider, rules=profile.rules if profile else (), has_worked=has_worked)
    return classify(sample.stage, sample.reply, context).reply_class


@pytest.mark.parametrize("side", SIDES)
def test_every_labelled_reply_means_what_its_label_says(side: str) -> None:
    found = [sample for sample in samples(LABELLED) if sample.side == side]
    assert found
    assert [(each.text, meaning(each)) for each in found] == [(each.text, each.reply_class) for each in found]


@pytest.mark.parametrize("side", SIDES)
def test_nearly_every_gathered_reply_does(side: str) -> None:
    found = [sample for sample in samples(GATHERED) if sample.side == side]
    wrong = [(each.text, meaning(each), each.reply_class) for each in found if meaning(each) != each.reply_class]
    assert len(found) > 50
    assert len(wrong) <= (1 - LEAST) * len(found) + 1, wrong


def test_the_collections_know_every_class_but_what_has_no_reply_and_every_stage() -> None:
    found = [*samples(LABELLED), *samples(GATHERED)]
    assert {each.reply_class for each in found} == set(ReplyClass) - {ReplyClass.DELIVERED}
    assert min(Counter(each.reply_class for each in found).values()) >= 3
    assert len({each.stage for each in found}) == 8
    assert all(each.source for each in found)


def test_a_second_reading_needs_a_mailbox_that_has_worked() -> None:
    (sample,) = (each for each in samples(LABELLED) if "AUTH005" in each.text)
    assert meaning(sample) == "auth-method"
    assert meaning(sample, has_worked=True) == "auth-rejected"


def test_the_random_id_in_a_text_does_not_matter() -> None:
    for sample in samples(LABELLED):
        if "iemL1p01Z0hMcT901emQ77" in sample.text:
            other = Sample(
                **{**sample.__dict__, "text": sample.text.replace("iemL1p01Z0hMcT901emQ77", "k7Q2p00Abc9901xX")}
            )
            assert meaning(other) == "rate-limited"


def test_most_classes_are_read_and_not_guessed() -> None:
    sources = Counter(
        classify(each.stage, each.reply, Context(rules=PROFILES[each.provider].rules)).source
        for each in samples(LABELLED)
        if each.provider in PROFILES
    )
    assert sources[Source.PROVIDER_RULE] + sources[Source.TEXT_RULE] > 0.9 * sources.total()
