"""A real relay before a provider that answers in its own words: the rules of the profile decide what they mean."""

import json
from pathlib import Path

import pytest

from tests.integration.relay_process import Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess


def class_of(path: Path, reply: str, **provider: str) -> str:
    """The class of the first attempt at a provider that says this."""
    sandbox = SandboxProcess("--reply", reply)
    folder = Folder(path, provider=sandbox.port)
    folder.routing["providers"]["lab"] |= provider
    folder.write()
    relay = RelayProcess(folder.config)
    try:
        (ident,) = relay.wait_until_ready().send()
        token = (path / "var" / "admin.token").read_text().strip()
        seen: list[dict[str, str]] = []

        def has_attempt(asked: RelayProcess) -> bool:
            (delivery,) = json.loads(asked.get(f"/api/v1/messages/{ident}", token=token)[1])["deliveries"]
            seen[:] = delivery["attempts"]
            return bool(seen)

        relay.wait_until(has_attempt)
        return seen[0]["class"]
    finally:
        relay.kill()
        sandbox.kill()


@pytest.mark.parametrize(
    ("reply", "profile", "own", "general"),
    [
        ("eod:554 5.7.1 iemL1p01Z0hMcT901emQ77 policy violation", "aruba", "rate-limited", "policy-refused"),
        ("mail:550 SENDER REJECTED", "register", "account-blocked", "sender-refused"),
    ],
)
def test_the_rules_of_the_profile_come_first(tmp_path: Path, reply: str, profile: str, own: str, general: str) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "general").mkdir()
    assert class_of(tmp_path / "own", reply, profile=profile, tls="none", auth="password") == own
    assert class_of(tmp_path / "general", reply) == general
