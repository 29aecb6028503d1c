"""What a mail says of its patient leaves no reply: subject, names, file names, whole or cut off, in any case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.confided import WITHHELD, confided, withheld

MAIL = (
    b"From: Studio Bianchi <studio@bianchi.example>\r\n"
    b'To: "Mario Rossi" <m.r@example.it>,\r\n =?utf-8?q?Nicol=C3=B2_Verdi?= <n.v@example.it>\r\n'
    b"Subject: =?utf-8?q?Ricetta_dermatologica_di_Mario?=\r\n =?utf-8?q?_Rossi?=\r\n"
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"
    b'Content-Disposition: attachment; filename="impegnativa rossi.exe"\r\n\r\nQUJD\r\n--x\r\n'
    b"Content-Disposition: attachment;\r\n filename*=utf-8''terapia%20Nicol%C3%B2.zip\r\n\r\nQUJD\r\n--x--\r\n"
)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Message 'Ricetta dermatologica di Mario Rossi' is spam", f"Message '{WITHHELD}' is spam"),
        ("subject RICETTA DERMATOLOGICA DI MARIO ROSSI refused", f"subject {WITHHELD} refused"),
        ("Spam: Ricetta dermatologica di Ma...", f"Spam: {WITHHELD}..."),
        ("Subject =?utf-8?q?Ricetta_dermatologica_di_Mario?= refused", f"Subject {WITHHELD} refused"),
        ("Banned attachment: impegnativa rossi.exe", f"Banned attachment: {WITHHELD}.exe"),
        ('file "terapia Nicolò.zip" is encrypted', f'file "{WITHHELD}.zip" is encrypted'),
        ("Dear Mario Rossi is over quota", f"Dear {WITHHELD} is over quota"),
        ("nicolò verdi refuses this", f"{WITHHELD} refuses this"),
        ("Studio Bianchi sends too much", "Studio Bianchi sends too much"),
        ("Ricettario rifiutato", "Ricettario rifiutato"),
    ],
)
def test_a_reply_does_not_repeat_what_the_mail_says_of_its_patient(said: str, shown: str) -> None:
    assert withheld(said, confided(MAIL)) == shown


@pytest.mark.parametrize("subject", ["", "a", "::", "=?no-such?q?x?=", "=?utf-8?b?%%?=", "=?utf-8?q?=FF=FE?="])
def test_a_subject_that_says_little_or_cannot_be_read_takes_nothing_out(subject: str) -> None:
    mail = f"Subject: {subject}\r\n\r\nbody\r\n".encode()
    assert withheld("550 a spam :: message", confided(mail)) == "550 a spam :: message"


@given(st.binary(max_size=400), st.text(max_size=300))
def test_no_content_and_no_reply_breaks_it(content: bytes, text: str) -> None:
    withheld(text, confided(b"Subject: " + content + b"\r\nfilename=" + content + content))


@given(st.text("abcfgjkm ", min_size=3, max_size=60).map(str.strip).filter(lambda each: len(each) > 2))
def test_no_subject_is_ever_repeated_as_words_of_their_own(subject: str) -> None:
    subject = " ".join(subject.split())
    mail = f"Subject: {subject}\r\n\r\nbody\r\n".encode()
    if sum(map(str.isalnum, subject)) > 2:
        assert subject not in withheld(f'X "{subject.upper()}" {subject}: Y', confided(mail))
