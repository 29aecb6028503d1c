"""Who met what stops a provider, beside those who fare better."""

from relay.core.limits import MINUTE
from relay.core.outages import REMEMBERED
from relay.core.witnesses import Witnesses
from relay.core.words import MailboxId

NOW = 100 * REMEMBERED
ROSSI, BIANCHI = (MailboxId("p", name) for name in ("rossi", "bianchi"))


def test_who_breaks_again_after_another_sent_breaks_alone_until_a_mail_of_his_own_goes() -> None:
    witnesses = Witnesses()
    witnesses.break_line(ROSSI, NOW)
    witnesses.deliver(BIANCHI)
    assert not witnesses.breaks_alone(ROSSI), "once is once"
    witnesses.break_line(ROSSI, NOW + MINUTE)
    assert witnesses.breaks_alone(ROSSI)
    witnesses.deliver(ROSSI)
    assert not witnesses.breaks_alone(ROSSI)
    witnesses.break_line(ROSSI, NOW + 2 * MINUTE)
    assert not witnesses.breaks_alone(ROSSI), "it begins anew"


def test_who_breaks_again_and_again_while_nobody_sends_is_not_alone() -> None:
    witnesses = Witnesses()
    witnesses.deliver(BIANCHI)
    for minute in range(10):
        witnesses.break_line(ROSSI, NOW + minute * MINUTE)
        witnesses.let_in(BIANCHI, is_acquitted=True)
    assert not witnesses.breaks_alone(ROSSI), "that others are let in says nothing of lines that break later"


def test_who_broke_twelve_hours_ago_is_forgotten_and_who_keeps_breaking_is_not() -> None:
    witnesses = Witnesses()
    witnesses.break_line(ROSSI, NOW)
    witnesses.break_line(BIANCHI, NOW)
    witnesses.deliver(MailboxId("p", "verdi"))
    witnesses.break_line(ROSSI, NOW + REMEMBERED)
    witnesses.break_line(ROSSI, NOW + 2 * REMEMBERED)
    assert witnesses.breaks_alone(ROSSI)
    assert list(witnesses.broken) == [ROSSI]
    witnesses.break_line(ROSSI, NOW + 3 * REMEMBERED + 1)
    assert not witnesses.breaks_alone(ROSSI)
