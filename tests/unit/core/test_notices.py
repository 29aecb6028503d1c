"""Notices that a doctor can read: what happened, since when, how many mails wait, what to do; never a patient."""

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.causes import CAUSES
from relay.core.circle import Reader, reader_of
from relay.core.failuretext import Language
from relay.core.meaning import ReplyClass
from relay.core.notice import NAMED, Circumstance, Notice, NoticeType
from relay.core.noticemail import NoticeHead, notice_mail
from relay.core.notices import SUBJECT_MOST, WIDTH, WORDS, NoticeText, Sheet, write
from relay.core.noticewords import Then, Topic, topic_of
from relay.core.remedy import REMEDIES, Needs
from relay.core.reminding import KINDS
from relay.core.words import Plan
from relay.providers import load_profiles, next_steps

ROME = ZoneInfo("Europe/Rome")
AT = 1_795_340_102_000_000  # 2026-11-22 09:35:02 UTC
ROSSI = "m.rossi@libero.it"
NOTICE = Notice(
    id="n-1",
    type=NoticeType.STOPPED,
    at=AT,
    provider="libero",
    mailbox=ROSSI,
    accounts=(ROSSI,),
    reason="auth-rejected",
    since=AT - 3_600_000_000,
    waiting=30,
    needs=Needs.OWNER,
    next_try=AT + 3_600_000_000,
    paid_until=date(2027, 3, 31),
    count=7,
    usual=2,
)
DOCTOR = Sheet(
    Reader.DOCTOR, Language.ITALIAN, ROME, "Libero Mail", contact="Assistenza 0974 000000", owner="Dr. M. Rossi"
)
VENDOR = replace(DOCTOR, reader=Reader.VENDOR, phone="0974 1234")
REASONS = sorted({*REMEDIES, *CAUSES, *ReplyClass})
HEAD = NoticeHead(
    "servizio@vendor.example",
    "rossi@other.example",
    "relay.example.it",
    Language.ITALIAN,
    "n-1",
    datetime.fromtimestamp(AT / 1_000_000, UTC),
)


def every_text() -> Iterator[tuple[Notice, Sheet, NoticeText]]:
    causes: list[tuple[str | None, Circumstance | None]] = [(None, None)]
    causes += [(each, None) for each in REASONS] + [(None, each) for each in Circumstance]
    for kind, reader, language in product(NoticeType, Reader, Language):
        for reason, circumstance in causes if kind is NoticeType.STOPPED else causes[:2]:
            notice = replace(NOTICE, type=kind, reason=reason, circumstance=circumstance)
            sheet = replace(VENDOR, reader=reader, language=language, wants_ticket=True)
            yield notice, sheet, write(notice, sheet)


READ = """\
Gentile Dr. M. Rossi,

dal 22/11/2026, ore 09:35 (ora italiana) la posta di m.rossi@libero.it
non parte.

Motivo: Libero Mail rifiuta la password della casella. Prima funzionava:
probabilmente è stata cambiata.

30 messaggi in attesa. Sono al sicuro: non li invii di nuovo,
arriverebbero due volte. Un messaggio è conservato per 7 giorni, poi
torna al mittente.

Che cosa fare:
1. Acceda alla casella dalla webmail. Se non riesce, imposti lì una
   nuova password.
2. Comunichi la nuova password all'assistenza: la posta riparte in pochi
   secondi.

Prossimo tentativo automatico: 22/11/2026, ore 11:35 (ora italiana).

Per aiuto: Assistenza 0974 000000

Questo avviso si ripete una volta al giorno finché la posta non riparte.
"""


# every text


def test_every_text_is_whole_short_and_without_a_link() -> None:
    for notice, _, text in every_text():
        whole = f"{text.subject}\n{text.body}"
        assert "{" not in whole, whole
        assert "://" not in whole
        assert "www." not in whole
        assert "None" not in whole, whole
        assert text.type is notice.type
        assert text.subject == text.subject.strip() != ""
        assert "\n" not in text.subject
        assert text.body.endswith("\n")
        assert max(map(len, text.body.split("\n"))) <= WIDTH


def test_each_cause_and_each_type_is_told_in_other_words() -> None:
    for language in Language:
        words = WORDS[language]
        assert set(words.stories) == set(Topic)
        assert set(words.then) == set(product(Then, Reader))
        assert set(words.events) == set(NoticeType) - set(KINDS.values())
        happened = [story.happened for story in words.stories.values()]
        assert len(set(happened)) == len(happened)


def test_both_languages_say_the_same_facts() -> None:
    """A sentence that names the account, the date or a command in one language names it in the other."""
    english, italian = WORDS[Language.ENGLISH], WORDS[Language.ITALIAN]
    for each in fields(english):
        mine, other = getattr(english, each.name), getattr(italian, each.name)
        if isinstance(mine, str) and each.name not in ("instant", "day", "waiting_one"):
            assert named(mine) == named(other), each.name
    for topic in Topic:
        assert english.stories[topic].then is italian.stories[topic].then
        for part in ("happened", "steps"):
            assert named(getattr(english.stories[topic], part)) == named(getattr(italian.stories[topic], part)), topic
    for key in english.then:
        assert named(english.then[key]) == named(italian.then[key]), key
        assert commands(english.then[key]) == commands(italian.then[key]), key
    for kind in english.events:
        for part in ("subject", "happened", "steps"):
            assert named(getattr(english.events[kind], part)) == named(getattr(italian.events[kind], part)), kind


def named(text: str) -> set[str]:
    return set(re.findall(r"\{\w+\}", text))


def commands(text: str) -> list[str]:
    return re.findall(r"relay [a-z -]+", text)


@pytest.mark.parametrize("reason", REASONS)
def test_whatever_an_owner_has_to_mend_has_words_of_its_own(reason: str) -> None:
    if REMEDIES.get(reason) in (Needs.OWNER, Needs.ADMIN) and reason != "in-doubt":
        assert topic_of(reason, None) is not Topic.OTHER


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("language", list(Language))
def test_a_doctor_is_never_told_to_type_a_command(reason: str, language: Language) -> None:
    if reader_of(NoticeType.STOPPED, reason, Plan.PERSONAL) is Reader.DOCTOR:
        text = write(replace(NOTICE, reason=reason), replace(DOCTOR, language=language))
        assert "relay " not in text.body
        assert "`" not in text.body


# one text as it is read


def test_the_doctor_reads_what_happened_since_when_how_many_wait_and_what_to_do() -> None:
    text = write(NOTICE, DOCTOR)
    assert text.subject == "La posta di m.rossi@libero.it non parte"
    assert text.body == READ


def test_times_are_those_of_the_providers_zone() -> None:
    there = write(NOTICE, replace(DOCTOR, zone=ZoneInfo("America/New_York"), language=Language.ENGLISH))
    assert "since 2026-11-22 03:35 EST the mail of" in there.body


@pytest.mark.parametrize(
    ("waiting", "said"), [(0, "non ci sono messaggi"), (1, "1 messaggio in attesa"), (2, "2 messaggi in attesa")]
)
def test_it_counts_what_waits(waiting: int, said: str) -> None:
    assert said in write(replace(NOTICE, waiting=waiting), DOCTOR).body


def test_the_steps_of_the_profile_come_first_without_their_marks_and_links() -> None:
    steps = "1) Vada su https://login.libero.it\n\n- Scelga una password nuova.\n  "
    body = write(NOTICE, replace(DOCTOR, steps=steps)).body
    assert "1. Vada su login.libero.it\n2. Scelga una password nuova.\n3. Comunichi la nuova password" in body
    assert "Accedere alla casella" not in body


def test_a_password_that_the_provider_made_expire_is_nobodys_fault() -> None:
    body = write(replace(NOTICE, circumstance=Circumstance.EXPIRED_BY_PROVIDER), DOCTOR).body
    assert "ha fatto scadere la password" in body
    assert "nessuno ha\nsbagliato" in body or "nessuno ha sbagliato" in " ".join(body.split())


def test_a_password_that_never_worked_is_told_otherwise() -> None:
    body = " ".join(write(replace(NOTICE, circumstance=Circumstance.NEVER_WORKED), DOCTOR).body.split())
    assert "non ha mai funzionato" in body
    assert "Prima funzionava" not in body


def test_before_a_new_password_is_made_the_old_one_is_read_out_again() -> None:
    """What never worked was perhaps typed wrong by support."""
    never = replace(NOTICE, circumstance=Circumstance.NEVER_WORKED)
    body = " ".join(write(never, replace(DOCTOR, steps="1. Crei una nuova password.")).body.split())
    assert "va dettata di nuovo all'assistenza" in body
    assert body.index("va dettata di nuovo") < body.index("Crei una nuova password")
    worked = " ".join(write(NOTICE, replace(DOCTOR, steps="1. Crei una nuova password.")).body.split())
    assert "va dettata" not in worked


@pytest.mark.parametrize(("provider", "said"), [("Aruba", "chieda il motivo ad Aruba"), ("Libero", "motivo a Libero")])
def test_a_provider_is_asked_in_good_italian(provider: str, said: str) -> None:
    event = replace(NOTICE, type=NoticeType.SPAM_BLOCKED)
    body = write(event, replace(DOCTOR, reader=Reader.VENDOR, provider=provider)).body
    assert said in " ".join(body.split())


def test_after_a_day_it_is_a_reminder() -> None:
    text = write(replace(NOTICE, type=NoticeType.STILL_STOPPED), DOCTOR)
    assert text.subject == "Promemoria: la posta di m.rossi@libero.it non parte"
    assert "nulla è cambiato" in text.body
    assert "Che cosa fare:" in text.body


def test_that_it_works_again_asks_for_nothing() -> None:
    text = write(replace(NOTICE, type=NoticeType.HEALED), DOCTOR)
    assert text.subject == "La posta di m.rossi@libero.it parte di nuovo"
    assert "Non deve fare nulla" in " ".join(text.body.split())
    assert "Che cosa fare" not in text.body
    assert "La posta in attesa (30 messaggi) parte" in text.body
    assert "in attesa" not in write(replace(NOTICE, type=NoticeType.HEALED, waiting=0), DOCTOR).body


def test_one_of_them_is_said_as_one_and_a_reason_goes_on_in_its_sentence() -> None:
    last = replace(NOTICE, type=NoticeType.PAID_UNTIL, paid_until=date(2027, 3, 31), count=1)
    assert "ancora per 1 giorno." in " ".join(write(last, VENDOR).body.split())
    healed = write(replace(NOTICE, type=NoticeType.HEALED, waiting=1), DOCTOR).body
    assert "(1 messaggio)" in " ".join(healed.split())
    ended = write(replace(NOTICE, reason="oauth-consent"), DOCTOR).body
    assert "Motivo: l'autorizzazione" in ended
    never = " ".join(write(replace(NOTICE, reason="no-token"), DOCTOR).body.split())
    assert "non è ancora collegata" in never
    assert "è finita" not in never, "it was never connected"


def test_the_vendor_finds_the_mailbox_the_owner_and_the_command() -> None:
    body = write(NOTICE, replace(VENDOR, has_to_call=True)).body
    assert "Casella: m.rossi@libero.it presso Libero Mail\nTitolare: Dr. M. Rossi\nTelefono: 0974 1234\n" in body
    assert "gli telefoni" in body
    assert "relay account set-password m.rossi@libero.it" in body
    assert body.startswith("Buongiorno,"), "it is not the vendor who is Dr. Rossi"


def test_of_several_accounts_all_are_listed_and_one_stands_in_the_command() -> None:
    senders = tuple(f"d{number}@x.it" for number in range(NAMED + 5))
    text = write(replace(NOTICE, accounts=senders), VENDOR)
    assert text.subject == f"La posta di d0@x.it (+{NAMED + 4}) non parte"
    flat = " ".join(text.body.split())
    assert f"d{NAMED - 1}@x.it (+5)" in flat
    assert f"d{NAMED}@x.it" not in flat
    assert "set-password d0@x.it." in flat
    mine = write(replace(NOTICE, accounts=senders), replace(VENDOR, accounts=("d3@x.it",)))
    assert "d0@x.it" not in mine.subject + mine.body, "who is told of one account reads of no other"


def test_for_aruba_the_ticket_is_written_already_and_only_of_spam() -> None:
    spam = replace(NOTICE, reason="spam-blocked", provider="aruba")
    ticket = " ".join(write(spam, replace(VENDOR, wants_ticket=True)).body.split())
    assert "i vostri server in uscita rifiutano come spam messaggi della nostra casella m.rossi@libero.it" in ticket
    assert "`relay explain m.rossi@libero.it`" in ticket, "no mail is known"
    cited = replace(spam, message="m-1", domain="example.org")
    for sheet, place in (
        (VENDOR, "destinatario nel dominio example.org"),
        (replace(VENDOR, language=Language.ENGLISH), "recipient at example.org"),
    ):
        told = " ".join(write(cited, replace(sheet, wants_ticket=True)).body.split())
        assert "`relay explain m-1 --unmasked`" in told
        assert f"m.rossi@libero.it, {place}, 2" in told, "sender, domain, date and time"
    once = replace(spam, type=NoticeType.SPAM_BLOCKED)
    assert "vostri server in uscita" in " ".join(write(once, replace(VENDOR, wants_ticket=True)).body.split())
    for notice, sheet in ((spam, VENDOR), (NOTICE, replace(VENDOR, wants_ticket=True))):
        assert "vostri server" not in write(notice, sheet).body


@pytest.mark.parametrize(
    ("kind", "subject", "said"),
    [
        (NoticeType.PAID_UNTIL, f"Il canone di {ROSSI} scade il 31/03/2027", "ancora per 7 giorni."),
        (NoticeType.FOREIGN_TRAFFIC, f"Qualcun altro invia da {ROSSI}", "meno di metà del limite"),
        (NoticeType.SPAM_BLOCKED, f"Libero Mail prende per spam la posta di {ROSSI}", "tre volte in un'ora"),
        (NoticeType.MANY_TO_ONE, f"{ROSSI} invia molti messaggi agli stessi destinatari", "(7). Ogni"),
        (NoticeType.SILENT, f"{ROSSI} non invia più", "da 7 giorni"),
        (
            NoticeType.SURPRISE,
            f"{ROSSI} invia molto più del solito",
            "oggi 7 messaggi; negli altri giorni sono circa 2",
        ),
        (NoticeType.AUTH_OUTAGE, "Libero Mail rifiuta l'accesso a molte caselle", "nessun titolare è stato avvisato"),
        (NoticeType.PROVIDER_BLOCKED, "Libero Mail blocca questo relay o il suo contratto", "30 messaggi in attesa."),
        (NoticeType.PROVIDER_STOPPED, "Libero Mail non è utilizzabile", "(auth-rejected)"),
        (NoticeType.PROVIDER_HEALED, "Libero Mail funziona di nuovo", "La posta in attesa (30 messaggi) parte"),
        (NoticeType.UNKNOWN_REPLY, "Una risposta di Libero Mail che nessuna regola conosce", "ha dato 7 volte"),
        (NoticeType.UNSENDABLE, "Un avviso non è partito", "notices.from"),
    ],
)
def test_ops_and_vendor_hear_of_what_is_no_stopped_mailbox(kind: NoticeType, subject: str, said: str) -> None:
    text = write(replace(NOTICE, type=kind), replace(VENDOR, reader=Reader.OPS))
    assert text.subject == subject
    assert said in " ".join(text.body.split())


def test_what_concerns_a_whole_provider_names_no_mailbox() -> None:
    notice = Notice(id="n-2", type=NoticeType.AUTH_OUTAGE, at=AT, provider="libero", count=40)
    body = write(notice, replace(VENDOR, reader=Reader.OPS)).body
    assert "40 caselle" in " ".join(body.split())
    assert "Casella:" not in body
    bare = write(replace(notice, count=None), replace(VENDOR, reader=Reader.OPS)).body
    assert "None" not in bare


def test_nothing_of_the_configuration_can_break_out_of_its_line() -> None:
    sheet = replace(VENDOR, provider="Lib\r\nBcc: x@y.it", owner="Dr.\x1b[31m", contact="a\nb", phone="1\r2")
    for kind in NoticeType:
        text = write(replace(NOTICE, type=kind), sheet)
        assert "\r" not in text.subject + text.body
        assert "\x1b" not in text.body
        assert "\nBcc:" not in f"\n{text.subject}"


# the mail


def read(octets: bytes):
    return email.message_from_bytes(octets, policy=email.policy.default)


def test_the_mail_says_that_a_machine_made_it_and_is_the_text_alone() -> None:
    text = write(NOTICE, DOCTOR)
    mail = read(notice_mail(text, HEAD))
    assert mail["from"] == "Servizio di posta <servizio@vendor.example>"
    assert mail["to"] == "<rossi@other.example>" or str(mail["to"]) == "rossi@other.example"
    assert mail["subject"] == text.subject
    assert mail["auto-submitted"] == "auto-generated"
    assert mail["message-id"] == "<n-1@relay.example.it>"
    assert mail["date"].datetime == HEAD.date
    assert mail["content-language"] == "it"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r\n", "\n") == text.body
    assert not mail.defects


def test_every_mail_is_seven_bit_in_short_lines_and_reads_as_it_was_written() -> None:
    seen = set()
    for _, sheet, text in every_text():
        if (text.subject, text.body) in seen:
            continue
        seen.add((text.subject, text.body))
        octets = notice_mail(text, replace(HEAD, language=sheet.language))
        assert octets.isascii()
        assert b"\n" not in octets.replace(b"\r\n", b"")
        assert max(map(len, octets.split(b"\r\n"))) <= 78
        mail = read(octets)
        assert (mail["subject"], mail.get_content().replace("\r\n", "\n")) == (text.subject, text.body)


@given(st.text(min_size=1, max_size=SUBJECT_MOST), st.text(max_size=300))
def test_no_subject_can_add_a_field(subject: str, name: str) -> None:
    octets = notice_mail(NoticeText(NoticeType.STOPPED, subject, "x\n"), replace(HEAD, to=f"a{name}@x.it"))
    top = octets.partition(b"\r\n\r\n")[0]
    names = [line.split(b":")[0] for line in top.split(b"\r\n") if not line.startswith(b" ")]
    assert names == [
        b"Date", b"From", b"To", b"Message-ID", b"Subject", b"Auto-Submitted", b"Content-Language", b"MIME-Version",
        b"Content-Type", b"Content-Transfer-Encoding",
    ]  # fmt: skip
    assert b"\n" not in octets.replace(b"\r\n", b"")


@given(st.text(st.characters(categories=["L", "N", "P", "S"], include_characters=" "), min_size=1, max_size=150))
def test_a_subject_of_any_length_and_script_is_read_as_written(subject: str) -> None:
    text = NoticeText(NoticeType.STOPPED, "à " + " ".join(subject.split()), "x\n")
    octets = notice_mail(text, HEAD)
    assert max(map(len, octets.split(b"\r\n"))) <= 78
    assert read(octets)["subject"].rstrip() == text.subject.rstrip()


def test_the_address_of_whoever_is_told_shows_nowhere_else() -> None:
    assert "rossi@other.example" not in repr(HEAD)
    assert "Rossi" not in repr(DOCTOR)


@pytest.mark.parametrize(
    ("language", "steps", "twice"),
    [
        (Language.ITALIAN, "Imposti una nuova password e la comunichi all'assistenza.", "assistenza:"),
        (Language.ENGLISH, "Set a new password there, then tell it to support.", "Tell support"),
    ],
)
def test_that_support_has_to_be_told_is_said_once(language: Language, steps: str, twice: str) -> None:
    said = " ".join(write(NOTICE, replace(DOCTOR, language=language, steps=steps)).body.split())
    assert steps in said
    assert twice not in said
    assert f"2. {WORDS[language].right_after}" in said
    plain = " ".join(write(NOTICE, replace(DOCTOR, language=language, steps="Log in.")).body.split())
    assert twice in plain


# the form of address

INFINITIVE = re.compile(
    r"(?:^|[.:;]\s+|\be\s+)(?:[Nn]on\s+)?(\w+(?:are|ere|ire|ar[lnc]\w|arla|arlo|arne|argli|erla|irla))\b"
)


@pytest.mark.parametrize("reader", list(Reader))
def test_italian_readers_are_addressed_as_lei_in_every_step(reader: Reader) -> None:
    words = WORDS[Language.ITALIAN]
    steps = [*(each.steps for each in words.stories.values()), *(each.steps for each in words.events.values())]
    said = [*steps, *(words.then[then, reader] for then in Then), words.call, words.waiting_one, words.waiting_many]
    for profile in (None, *load_profiles().values()):
        said += [each["it"] for kind in ReplyClass if (each := next_steps(profile, kind)) is not None]
    for text in said:
        assert INFINITIVE.search(text) is None, text
