"""What a trial found, in one sentence: what is right or wrong first, then what to do, in English and Italian."""

import pytest

from relay.core import tested as findings
from relay.core.failuretext import Language
from relay.core.meaning import Fault, ReplyClass
from relay.core.tested import Finding
from relay.core.testedtext import told
from relay.core.testedwords import FOUND, REASONS
from relay.core.words import MailboxId, Stage

BOX = MailboxId("aruba", "studio@rossi.it")
ROSSI = "m.rossi@rossi.it"
OF_MESSAGES = {"delivered", "content-refused", "message-too-large", "recipient-refused", "recipient-domain-bad"}
"""Classes that no login and no MAIL without a message meets."""


def found(finding, reason=None, **more):
    return findings.Tested(ROSSI, BOX, finding, reason, **more)


def test_what_works_says_so_and_asks_for_nothing():
    said = told(found(Finding.WORKS, stage=Stage.RCPT), language=Language.ENGLISH, do="make an app password")
    assert said == "All is well: the login of studio@rossi.it at aruba works, and mail from m.rossi@rossi.it is taken."


def test_a_wrong_password_says_whose_and_what_to_do():
    said = told(found(Finding.LOGIN_FAILED, "auth-rejected", stage=Stage.AUTH), language=Language.ENGLISH)
    assert said == (
        "The login of studio@rossi.it at aruba does not work: user name or password is refused (auth-rejected); "
        "have the right password set (relay account set-password)."
    )


def test_the_owners_step_of_the_providers_profile_goes_first():
    step = "Entrare in webmail.aruba.it e autorizzare il mittente."
    said = told(found(Finding.SENDER_REFUSED, "sender-refused"), language=Language.ITALIAN, do=step)
    assert said.startswith("L'accesso di studio@rossi.it presso aruba funziona, ma la posta da m.rossi@rossi.it non")
    assert said.endswith(" (sender-refused). Entrare in webmail.aruba.it e autorizzare il mittente.")


def test_what_only_has_to_wait_has_a_time():
    said = told(found(Finding.NOT_NOW, "limit"), language=Language.ITALIAN, until="12:40")
    assert said.endswith("(limit); riprovare alle 12:40.")
    said = told(found(Finding.NOT_NOW, "refused-logins"), language=Language.ENGLISH, until="12:40")
    assert said.endswith("have the right password set (relay account set-password), or try again at 12:40.")


def test_a_host_that_fails_is_not_the_fault_of_the_login():
    said = told(found(Finding.LOGIN_FAILED, "network", is_provider=True), language=Language.ENGLISH)
    assert said.startswith("aruba cannot be tried: it cannot be reached")
    assert "studio@rossi.it" not in said


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("finding", Finding)
@pytest.mark.parametrize("reason", [None, *ReplyClass, *Fault, *REASONS, "something-new"])
def test_there_is_a_sentence_for_everything(language, finding, reason):
    said = told(found(finding, reason), language=language, until="12:40")
    assert said.endswith(".")
    assert "{" not in said
    assert ".." not in said
    assert len(said) < 400


def test_no_reason_goes_without_words():
    said = {reason for reason in (*ReplyClass, *Fault) if reason not in REASONS and not reason.startswith("tls-")}
    assert said == OF_MESSAGES
    assert set(FOUND) == set(Finding)
