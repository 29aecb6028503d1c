"""Whatever stops or ends a mail has its own true sentence, in every language."""

import pytest

from relay.core.causes import ANY_CAUSE, CAUSES, cause_of
from relay.core.failuretext import Language
from relay.core.guard import BOUNCE_GUARD
from relay.core.meaning import Fault, ReplyClass
from relay.core.outages import AUTH_OUTAGE
from relay.core.remedy import LASTING_REMEDIES, REMEDIES, TOLD_AT_ONCE
from relay.core.standstill import EXPIRED, Barrier
from relay.store.engine.moves import CORRUPT
from relay.store.engine.routes import NO_ACCOUNT, NO_CREDENTIALS, PAUSED_BY_ADMIN
from relay.store.engine.settling import IN_DOUBT

OF_THE_STORE = {NO_ACCOUNT, NO_CREDENTIALS, PAUSED_BY_ADMIN, CORRUPT, IN_DOUBT, EXPIRED, AUTH_OUTAGE, BOUNCE_GUARD}
REASONS = {
    *REMEDIES, *LASTING_REMEDIES, *TOLD_AT_ONCE, *OF_THE_STORE,
    *(each.value for each in ReplyClass if each is not ReplyClass.DELIVERED),
    *(each.value for each in Fault), *(each.value for each in Barrier),
}  # fmt: skip
BY_A_SERVER = {each.value for each in ReplyClass}
"""What some mail server said or did."""


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_every_reason_has_a_sentence_of_its_own(reason: str) -> None:
    assert cause_of(reason) is not ANY_CAUSE


@pytest.mark.parametrize("reason", sorted(REASONS - BY_A_SERVER))
def test_nobody_is_said_to_have_refused_what_never_left(reason: str) -> None:
    for text in cause_of(reason).why.values():
        assert "refused the mail" not in text
        assert "rifiutato il messaggio" not in text


def test_a_mail_that_an_admin_kept_back_names_him_and_no_server() -> None:
    assert cause_of("paused-by-admin").why[Language.ENGLISH] == "sending from your mailbox was paused by hand."
    assert "sospesi a mano" in cause_of("paused-by-admin").why[Language.ITALIAN]


def test_every_sentence_is_there_in_every_language_and_ends() -> None:
    for each in (ANY_CAUSE, *CAUSES.values()):
        for text in (*each.why.values(), *each.advice.values()):
            assert text.endswith(".")
        assert set(each.why) == set(each.advice) == set(Language)
