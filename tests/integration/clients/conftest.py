"""One practice for all mail programs and dialogues: a relay and a provider start once."""

from collections.abc import Iterator

import pytest

from tests.integration.clients.practice import Practice, practice
from tests.integration.clients.programs import PROGRAMS, install_nodemailer


@pytest.fixture(scope="session")
def shared_practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """A relay with a login for each program, `studio` and `lower` besides, and clear text from here without a login."""
    logins = [program.name for program in PROGRAMS]
    with practice(tmp_path_factory.mktemp("practice"), *logins, "studio") as running:
        yield running


@pytest.fixture(scope="session")
def nodemailer() -> None:
    """It is there; a registry that does not answer is asked once, not by every test."""
    install_nodemailer()
