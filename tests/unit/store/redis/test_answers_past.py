"""What the store decides by its past is the same on Redis: every statement here is asked in SQL and of its answer."""

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.store.engine.statements import load_statements
from relay.store.redis.answers import answer
from tests.unit.store.redis.world import LIKENESSES, LOGIN_CLASSES, NODES, RECIPIENTS, STEP, World

FILES = ("limits", "about", "guard", "probing", "healths", "trials", "queue", "entries")

NOT_ASKED = {"limits.clamp_ends", "limits.clamp_logins", "queue.recent_messages"}
"""Of SQLite alone: relay time on Redis goes on over a reboot, and `put` counts a client's last messages by itself."""

Drawn = Callable[[World], tuple[object, ...]]


def of_mailbox(world: World) -> tuple[object, ...]:
    return (world.mailbox_number(),)


def since(world: World) -> tuple[object, ...]:
    return world.mailbox_number(), world.early()


def until(world: World) -> tuple[object, ...]:
    return world.mailbox_number(), world.instant() + world.pick(0, 9, 24) * STEP


def likeness(world: World) -> bytes:
    return bytes(world.pick(*LIKENESSES[1:]))


def alike(world: World) -> tuple[object, ...]:
    return *since(world), likeness(world)


def provider(world: World) -> str:
    return str(world.pick("p", "p", "p", "q", "none"))


def account(world: World) -> tuple[object, ...]:
    return world.pick(1, 2), world.pick("quota", "bounce-guard")


def recipient(world: World) -> bytes:
    return bytes(world.pick(*RECIPIENTS))


def attempt(world: World) -> int:
    return world.random.randrange(1, world.next_attempt + 2)


READS: Mapping[str, Drawn] = {
    "limits.mailbox_ends": since,
    "limits.mailbox_old_ends": lambda world: (*since(world), world.instant()),
    "limits.mailbox_running": of_mailbox,
    "limits.provider_ends": lambda world: (provider(world), world.early()),
    "limits.provider_old_ends": lambda world: (provider(world), world.early(), world.instant()),
    "limits.provider_running": lambda world: (provider(world),),
    "limits.logins_since": since,
    "limits.refusals_since": since,
    "limits.last_login": of_mailbox,
    "limits.mailboxes_logging_in": lambda _: (),
    "about.last_refused": since,
    "about.last_worked": until,
    "about.last_out": until,
    "about.active": lambda world: (provider(world), world.early()),
    "about.last_sent": lambda world: (world.pick(2, 5, 99), provider(world), world.pick(1, 3, 9)),
    "about.broken_since": since,
    "about.broken_from": since,
    "about.served_since": lambda world: (provider(world), world.early(), world.pick(1, 2, 9)),
    "about.told_from": since,
    "about.delivered_since": lambda world: (provider(world), world.early(), world.pick(1, 2, 9)),
    "about.blocked_login": since,
    "about.blocked_attempt": since,
    "about.sent_since": since,
    "about.block_words": lambda world: (provider(world),),
    "guard.refusals_like": alike,
    "guard.has_met": lambda world: (world.delivery(), likeness(world), attempt(world)),
    "guard.last_guarded": of_mailbox,
    "guard.untold_bounces": alike,
    "guard.guarded_of": account,
    "guard.guarded_since": of_mailbox,
    "guard.delivered_since": since,
    "guard.other_mail": lambda world: (world.pick(1, 2, 3), world.delivery()),
    "probing.next_probe": lambda world: (world.pick(1, 2, 3), world.pick(0, 1), world.pick(0, 1, 2), *since(world)),
    "probing.recipient_of": lambda world: (world.delivery(),),
    "probing.last_of_recipient": lambda world: (*since(world), attempt(world), recipient(world)),
    "probing.others_delivered": lambda world: (*since(world), recipient(world)),
    "healths.healths_of_mailbox": lambda world: (provider(world), world.mailbox_number(), world.pick(1, 9)),
    "healths.healths_of_provider": lambda world: (provider(world), world.pick(1, 9)),
    "healths.spam_since": lambda world: (world.delivery(), *since(world)),
    "healths.policy_since": lambda world: (*since(world), world.pick(1, 2, 9)),
    "healths.count_riddles": lambda world: (provider(world),),
    "healths.all_riddles": lambda world: (world.pick(None, "p", "q"), world.pick(2, 9)),
    "healths.held_of": account,
    "healths.oldest_deferred": lambda world: (world.pick(1, 2),),
    "healths.said_of": lambda world: (world.message(),),
    "trials.get_trial": lambda world: (world.attempt_under_way(),),
    "trials.trials_of": lambda world: (world.pick(*NODES),),
    "trials.last_refusal": of_mailbox,
    "trials.other_holder": lambda world: ("p", "a@p", world.pick(*NODES)),
    "queue.count_ready": lambda _: (),
    "queue.get_claims": lambda _: (),
    "queue.delivery_of_attempt": lambda world: (attempt(world),),
    "queue.first_refusal": lambda world: (world.delivery(), world.pick("network", "delivered", "none")),
    "queue.has_pending": lambda world: tuple(sorted((world.delivery(), world.delivery()))),
    "queue.next_due": lambda _: (),
    "queue.get_nodes": lambda _: (),
    "entries.ready_entries": lambda world: (world.pick(1, 2), world.pick(0, 1), world.pick(1, 2, 9)),
    "entries.one_entry": lambda world: (world.delivery(),),
    "entries.due_entries": lambda world: (world.instant(), world.pick(1, 2, 9)),
    "entries.expired_entries": lambda world: (world.instant(), world.pick(1, 2, 9)),
}

IN_NO_ORDER = {
    "limits.mailbox_running", "limits.provider_running", "limits.logins_since", "limits.refusals_since",
    "limits.mailboxes_logging_in", "limits.provider_ends", "limits.provider_old_ends", "queue.get_nodes",
}  # fmt: skip
"""Where the SQL says none, or one that leaves ends of one instant in any."""


def new_delivery(world: World) -> tuple[object, ...]:
    number = world.next_delivery
    world.own("messages", world.new_message(number, 1, 1))
    world.next_delivery += 1
    return (number, number, 1, 0, world.instant(), world.instant(), b"\xff", recipient(world), b"\xffe")


def new_message(world: World) -> tuple[object, ...]:
    return tuple(world.new_message(world.next_delivery + world.pick(0, 1), 1, 1).values())


def new_attempt(world: World) -> tuple[object, ...]:
    return tuple(world.new_attempt(world.number_attempt()).values())


def put_back(world: World) -> tuple[object, ...]:
    state = world.pick(0, 0, 1)
    due = world.instant() if state == 0 else 0
    return (state, due, world.instant(), 2, 0, "quota", "again", world.instant(), world.delivery())


def new_claim(world: World) -> tuple[object, ...]:
    return (world.number_attempt(), world.delivery(), 1, "node-1", world.instant(), world.pick(True, False))


def new_trial(world: World) -> tuple[object, ...]:
    return (world.number_attempt(), 1, "node-1", world.instant())


def trial_end(world: World) -> tuple[object, ...]:
    return (world.number_attempt(), 1, "node-1", world.instant(), world.instant(), "auth", "delivered", None)


def login_end(world: World) -> tuple[object, ...]:
    met = world.pick(*LOGIN_CLASSES[3:])
    return (world.instant(), met, world.pick(*LIKENESSES), world.pick(True, False), world.mailbox_number())


def known_riddle(world: World) -> tuple[object, ...]:
    found = world.sqlite.read("SELECT provider, stage, code, text FROM riddles ORDER BY 1, 2, 3, 4")
    return (9, *world.pick(("p", "eod", 550, "never"), *found))


WRITES: Mapping[str, tuple[str, Drawn]] = {
    "limits.begin_login": ("logins", lambda world: (world.mailbox_number(), 99 * STEP)),
    "limits.end_login": ("logins", lambda world: (world.instant(), world.mailbox_number())),
    "limits.refuse_login": ("logins", login_end),
    "limits.drop_login": ("logins", of_mailbox),
    "limits.end_logins_of": ("logins", lambda w: (w.instant(), w.pick(True, False), w.mailbox_number())),
    "limits.prune_logins": ("logins", lambda world: (world.instant(),)),
    "about.acquit_logins": ("logins", since),
    "guard.recall": ("deliveries", lambda w: (w.instant(), "bounce-guard", w.instant(), b"\xffe", w.delivery())),
    "healths.add_health": ("healths", lambda w: (w.instant(), "p", w.pick(None, 1), "ok", None, "x", None, None, 0)),
    "healths.drop_healths": ("healths", lambda world: (world.instant(), world.pick(1, 3, 9))),
    "healths.meet_riddle": ("riddles", known_riddle),
    "healths.add_riddle": ("riddles", lambda world: ("p", "eod", 550, f"new{world.random.random()}", 9, 9)),
    "healths.drop_oldest_riddle": ("riddles", lambda world: (provider(world),)),
    "trials.begin_trial": ("claims", new_trial),
    "trials.end_trial": ("claims", lambda world: (world.attempt_under_way(),)),
    "trials.keep_trial": ("attempts", trial_end),
    "queue.add_message": ("messages", new_message),
    "queue.add_delivery": ("deliveries", new_delivery),
    "queue.add_claim": ("claims", new_claim),
    "queue.gate_claim": ("claims", lambda world: (world.instant(), world.attempt_under_way())),
    "queue.lapse_claim": ("claims", lambda world: (world.instant(), world.attempt_under_way())),
    "queue.lose_claim": ("claims", lambda world: (world.attempt_under_way(),)),
    "queue.end_claim": ("claims", lambda world: (world.attempt_under_way(),)),
    "queue.add_attempt": ("attempts", new_attempt),
    "queue.amend_attempt": ("attempts", lambda world: ("eod", "delivered", None, attempt(world))),
    "queue.finish_delivery": (
        "deliveries", lambda w: (w.pick(2, 3, 4), 3, 1, "x", None, w.instant(), w.delivery()),
    ),
    "queue.put_back": ("deliveries", put_back),
    "queue.set_expiry": ("deliveries", lambda world: (world.instant(), world.delivery())),
    "queue.set_lease": ("nodes", lambda world: (world.pick("node-1", "node-3"), world.instant())),
}  # fmt: skip


def test_every_statement_of_the_past_has_an_answer_and_is_tried_here():
    for file in FILES:
        for statement in load_statements(file).values():
            if statement.name not in NOT_ASKED:
                answer(statement.name)
                assert statement.name in {*READS, *WRITES}


@pytest.mark.parametrize("file", FILES)
@settings(max_examples=16, derandomize=True, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_what_is_asked_is_answered_as_in_sql(file, seed):
    world = World(seed)
    for name in (each for each in READS if each.startswith(f"{file}.")):
        for _ in range(4):
            ask(world, name)


@settings(max_examples=50, derandomize=True, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_what_an_operation_writes_it_reads_back_and_others_find_it_when_it_is_committed(seed):
    world = World(seed)
    for _ in range(12):
        write(world, world.pick(*WRITES))
        ask(world, world.pick(*READS))
    world.commit()


def ask(world: World, name: str) -> None:
    world.same(name, READS[name](world), is_ordered=name not in IN_NO_ORDER)


def write(world: World, name: str) -> None:
    table, drawn = WRITES[name]
    if name == "limits.begin_login":  # of a login that this operation begins it hears no more
        assert world.ledger.write(load_statements("limits")["begin_login"], drawn(world)) == 1
    else:
        world.wrote(name, drawn(world), tables=[table])
