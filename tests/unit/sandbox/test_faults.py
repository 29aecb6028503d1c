"""Every fault can be seen by a client, is drawn at its rate, and is in the log."""

import pytest

from relay.sandbox.replies import GARBAGE
from relay.sandbox.settings import Fault, parse_faults
from relay.sandbox.voice import After
from relay.sandbox.world import real_world
from tests.unit.sandbox.peer import FakeWorld, Peer, provider_of, records


def faulty(world: FakeWorld, *faults: str, **settings: object) -> Peer:
    peer = Peer(provider_of(world, faults=faults, **settings))
    peer.login()
    return peer


def kinds(peer: Peer) -> list[str]:
    return [record["fault"] for record in records(peer.provider, "fault")]


def test_refuse_auth_refuses_a_right_password(world: FakeWorld) -> None:
    peer = Peer(provider_of(world, faults=("refuse-auth:1",)))
    assert peer.login().startswith("535 5.7.8")
    assert kinds(peer) == ["refuse-auth"]
    assert [r["reply"] for r in records(peer.provider, "auth")] == ["535 5.7.8 Authentication failed"]


def test_drop_data_breaks_inside_the_message(world: FakeWorld) -> None:
    peer = faulty(world, "drop-data:1")
    assert peer.codes("MAIL FROM:<a@x>", "RCPT TO:<b@x>", "DATA") == ["250", "250", "354"]
    assert not peer.is_dropped(), "not before some of the message is there"
    assert peer.send(b"Subject: half") == ""
    assert peer.is_dropped()
    assert records(peer.provider, "delivered") == []
    assert kinds(peer) == ["drop-data"]


@pytest.mark.parametrize(("fault", "copies"), [("drop-after-dot", 1), ("lose-after-dot", 0)])
def test_a_drop_after_the_dot_leaves_the_client_in_doubt(world: FakeWorld, fault: str, copies: int) -> None:
    peer = faulty(world, f"{fault}:1")
    assert peer.mail() == ""
    assert peer.is_dropped()
    assert len(records(peer.provider, "delivered")) == copies
    assert [(r["fault"], r["id"]) for r in records(peer.provider, "fault")] == [(fault, "<1@x>")]


def test_slow_delays_every_reply(world: FakeWorld) -> None:
    peer = faulty(world, "slow:1", slow_seconds=7.0)
    peer.mail()
    assert {step.late for step in peer.steps} == {7.0}
    assert not any(step.is_trickle for step in peer.steps)


def test_trickle_sends_byte_by_byte(world: FakeWorld) -> None:
    peer = faulty(world, "trickle:1", slow_seconds=1.0)
    assert {(step.late, step.is_trickle) for step in peer.steps} == {(1.0, True)}


@pytest.mark.parametrize(("fault", "code"), [("tempfail", "451"), ("permfail", "554")])
@pytest.mark.parametrize(("lot", "stage"), [(0.1, "rcpt"), (0.9, "eod")])
def test_a_failure_comes_at_rcpt_or_at_the_dot(world: FakeWorld, fault: str, code: str, lot: float, stage: str) -> None:
    peer = faulty(world, f"{fault}:0.5")
    world.lots = [0.2, lot]
    assert peer.mail().startswith(code)
    refused = records(peer.provider, "refused")
    assert [(r["stage"], (r["reply"] or "")[:3]) for r in refused] == [(stage, code)]
    assert [(r["stage"], r["fault"]) for r in records(peer.provider, "fault")] == [(stage, fault)]
    assert peer.mail().startswith("250"), "the next transaction has its own lot"


def test_garbage_answers_nonsense_though_the_command_took_effect(world: FakeWorld) -> None:
    peer = faulty(world)
    peer.provider.rates = parse_faults(("garbage:1",))
    peer.codes("MAIL FROM:<a@x>", "RCPT TO:<b@x>", "DATA")
    peer.send(b"x\r\n.\r\n")
    assert all(step.data in GARBAGE for step in peer.steps[-4:])
    assert len(records(peer.provider, "delivered")) == 1


def test_no_starttls_neither_offers_nor_knows_it(world: FakeWorld) -> None:
    peer = Peer(provider_of(world, faults=("no-starttls:1",)), can_upgrade=True)
    assert "STARTTLS" not in peer.say("EHLO x")
    assert peer.say("STARTTLS").startswith("502")
    assert kinds(peer) == ["no-starttls"]


@pytest.mark.parametrize("fault", list(Fault))
def test_a_rate_of_nought_never_strikes_and_of_one_always(world: FakeWorld, fault: Fault) -> None:
    provider = provider_of(world, faults=(f"{fault}:0",))
    world.lots = [0.0]
    assert not provider.strikes(fault)
    provider.rates = parse_faults((f"{fault}:1",))
    world.lots = [0.999999]
    assert provider.strikes(fault)


def test_the_same_seed_draws_the_same_faults() -> None:
    first, again, other = ([world.chance() for _ in range(50)] for world in map(real_world, (1, 1, 2)))
    assert first == again
    assert first != other


def test_after_a_break_nothing_more_is_answered(world: FakeWorld) -> None:
    peer = faulty(world, "drop-after-dot:1")
    peer.mail()
    assert peer.say("NOOP") == ""
    assert peer.last.after is After.DROP
