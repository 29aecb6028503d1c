"""A few mailboxes are sick, and meet what looks like their provider's trouble: the mail of all others there goes on."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.relay_process import Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

SICK = tuple(f"sick{number}@d.test" for number in range(3))
WELL = tuple(f"well{number}@d.test" for number in range(4))
MANY = tuple(f"sick{number}@d.test" for number in range(6))

Start = Callable[..., RelayProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a relay whose healthy mailboxes have sent before; each session carries one message."""
    with ExitStack() as stack:

        def begin(*replies: str, accounts: tuple[str, ...], total: int = 20, probe: str = "2s") -> RelayProcess:
            peer = SandboxProcess(*(part for text in replies for part in ("--reply", text)))
            stack.callback(peer.kill)
            folder = Folder(tmp_path, provider=peer.port, health={"probe": [probe, "10m"]})
            folder.routing["providers"]["lab"] |= {"session": {"messages": 1}, "total_connections": total}
            folder.routing["accounts"] = {
                account: {"provider": "lab", "password": "file:anna@d.test.password"} for account in accounts
            }
            folder.write()
            relay = RelayProcess(folder.config)
            stack.callback(relay.kill)
            relay.wait_until_ready()
            for account in WELL:
                relay.send(sender=account)
                relay.wait_for("delivered", account=account)
            return relay

        yield begin


def _goes_on(relay: RelayProcess) -> None:
    """Each healthy mailbox sends once more, and it arrives."""
    for account in WELL:
        relay.send(sender=account)
    for account in WELL:
        relay.wait_for("delivered", times=2, account=account)


def test_lines_that_break_for_some_keep_nobody_else_waiting(start: Start) -> None:
    relay = start(*(f"data@{account}:!drop" for account in SICK), accounts=(*SICK, *WELL))
    for account in SICK:
        relay.send(8, sender=account)
    relay.wait_for("health_changed", provider="lab", mailbox=None, health="network")
    _goes_on(relay)


def test_logins_that_hang_leave_places_for_others(start: Start) -> None:
    relay = start(*(f"auth@{account}:!hang" for account in MANY), accounts=(*MANY, *WELL), total=4)
    for account in MANY:
        relay.send(sender=account)
    _goes_on(relay)


def test_changed_passwords_are_no_outage_for_those_that_still_work(start: Start) -> None:
    scripted = [f"auth@{account}:{answer}" for account in SICK for answer in ("235 2.7.0 ok*1", "535 5.7.8 wrong")]
    relay = start(*scripted, accounts=(*SICK, *WELL))
    for account in SICK:
        relay.send(sender=account)
        relay.wait_for("delivered", account=account)
    for account in SICK:
        relay.send(sender=account)
    relay.wait_for("health_changed", provider="lab", mailbox=None, health="auth-outage")
    _goes_on(relay)
    for account in SICK:
        relay.wait_for("health_changed", mailbox=account, health="auth-rejected")
    assert relay.count("health_changed", provider="lab", mailbox=None, health="auth-outage") == 1


BLOCKED = ("auth", "554 5.7.1 Your IP is blocked by Spamhaus")
ENCRYPT = ("mail", "530 5.7.0 Issue a STARTTLS command first")


@pytest.mark.parametrize(("stage", "text"), [BLOCKED, ENCRYPT])
def test_a_block_that_one_mailbox_is_told_of_keeps_nobody_else_waiting(start: Start, stage: str, text: str) -> None:
    relay = start(f"{stage}@{SICK[0]}:{text}", accounts=(*SICK[:1], *WELL))
    relay.send(sender=SICK[0])
    relay.wait_for("health_changed", mailbox=SICK[0])
    _goes_on(relay)
    assert not relay.count("health_changed", provider="lab", mailbox=None)
