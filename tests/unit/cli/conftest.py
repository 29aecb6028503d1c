"""The desk at which the verbs are tried that ask a running relay."""

import pytest

from tests.unit.cli.running import Desk


@pytest.fixture
def desk(tmp_path, monkeypatch, capsys) -> Desk:
    return Desk(tmp_path, monkeypatch, capsys)
