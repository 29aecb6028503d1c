"""Every mail program that exists hands in its mail over every kind of listener, and its user sees what goes wrong."""

import os
from pathlib import Path

import pytest

from tests.conftest import is_ci
from tests.integration.clients.practice import LISTENERS, PASSWORD, SENDER, Practice
from tests.integration.clients.programs import ATTACHMENT, BODY, PROGRAMS, SUBJECT, Order, Program

CASES = [
    pytest.param(program, kind, id=f"{program.name}-{kind}", marks=pytest.mark.needs(*program.tools))
    for program in PROGRAMS
    for kind in LISTENERS
]


@pytest.fixture
def ready(program: Program, request: pytest.FixtureRequest) -> None:
    """What the program needs is there."""
    missing = [path for path in program.packages if not os.path.exists(path)]  # noqa: PTH110
    if missing:
        (pytest.fail if is_ci() else pytest.skip)(f"needs {missing}: `make tools` installs it")
    if program.name == "nodemailer":
        request.getfixturevalue("nodemailer")


def order(practice: Practice, program: Program, kind: str, folder: Path, **changes: str) -> Order:
    recipient = f"{program.name}.{kind}@example.org"
    values = {"login": program.name, "password": PASSWORD, "sender": SENDER, "recipient": recipient, **changes}
    return Order(practice.ports[kind], kind, practice.certificates.authority, folder, **values)


@pytest.mark.parametrize(("program", "kind"), CASES)
@pytest.mark.usefixtures("ready")
class TestEachProgram:
    def test_its_mail_arrives_as_it_was_written(
        self, shared_practice: Practice, tmp_path: Path, program: Program, kind: str
    ) -> None:
        asked = order(shared_practice, program, kind, tmp_path)
        said = program.hand_in(asked)
        assert said.is_well, said.text
        mail = shared_practice.mail_to(asked.recipient)
        assert mail["Subject"] == SUBJECT
        text, attachment = (part.get_payload(decode=True) for part in mail.iter_parts())
        assert isinstance(text, bytes)
        assert text.decode().replace("\r\n", "\n").rstrip("\n") == BODY.rstrip("\n")
        assert attachment == ATTACHMENT
        assert mail["From"].addresses[0].addr_spec == SENDER
        assert [len(mail.get_all(name, [])) for name in ("Message-ID", "Date", "From")] == [1, 1, 1]

    def test_its_user_is_told_that_the_password_is_wrong(
        self, shared_practice: Practice, tmp_path: Path, program: Program, kind: str
    ) -> None:
        said = program.hand_in(order(shared_practice, program, kind, tmp_path, password="wrong"))
        assert not said.is_well
        assert "User name or password wrong" in said.text

    def test_its_user_is_told_that_the_sender_is_not_his(
        self, shared_practice: Practice, tmp_path: Path, program: Program, kind: str
    ) -> None:
        said = program.hand_in(order(shared_practice, program, kind, tmp_path, sender="someone@else.test"))
        assert not said.is_well
        assert f"Login {program.name} may not send as someone@else.test" in said.text
