"""Each reason has the code that the interface promises."""

import pytest

from relay.core.refusal import Reason, Refusal

PROMISED = {
    Reason.LOGIN_NEEDED: "530 5.7.0",
    Reason.LOGIN_WRONG: "535 5.7.8",
    Reason.LOGIN_TOO_OFTEN: "421 4.7.0",
    Reason.LOGIN_IN_CLEAR: "538 5.7.11",
    Reason.SENDER_FOREIGN: "550 5.7.1",
    Reason.SENDER_UNKNOWN: "550 5.7.1",
    Reason.SENDER_RETIRED: "550 5.7.1",
    Reason.MESSAGE_TOO_LARGE: "552 5.3.4",
    Reason.RECIPIENT_SYNTAX: "553 5.1.3",
    Reason.RECIPIENTS_TOO_MANY: "452 4.5.3",
    Reason.FROM_COUNT: "550 5.7.1",
    Reason.FROM_FOREIGN: "550 5.7.1",
    Reason.FROM_MISSING: "550 5.7.1",
    Reason.BARE_CR: "550 5.6.0",
    Reason.BARE_LF: "550 5.6.0",
    Reason.NUL: "550 5.6.0",
    Reason.LINE_TOO_LONG: "550 5.6.0",
    Reason.HEADER_TOO_LONG: "550 5.6.0",
    Reason.LOOP: "554 5.4.6",
    Reason.STORE_AWAY: "451 4.3.0",
    Reason.STORE_FULL: "452 4.3.1",
    Reason.COMMAND_TOO_LONG: "500 5.5.2",
    Reason.IDLE: "421 4.4.2",
    Reason.STOPPING: "421 4.3.2",
    Reason.FULL: "421 4.3.2",
}


@pytest.mark.parametrize(("reason", "codes"), PROMISED.items())
def test_codes_are_the_promised_ones(reason: Reason, codes: str) -> None:
    assert f"{reason.code} {reason.enhanced}" == codes


@pytest.mark.parametrize("reason", Reason)
def test_reply_code_and_enhanced_code_are_of_one_class(reason: Reason) -> None:
    assert str(reason.code)[0] == reason.enhanced[0]
    assert reason.is_temporary == (reason.enhanced[0] == "4")


def test_names_are_different() -> None:
    assert len({reason.label for reason in Reason}) == len(Reason)


def test_the_values_of_a_refusal_show_in_no_text() -> None:
    assert "rossi" not in repr(Refusal(Reason.SENDER_UNKNOWN, {"sender": "rossi@x.it"}))
