"""Nodes that look up secrets for themselves: the newest change counts, and what one lacks is not taken from others."""

from dataclasses import replace
from typing import Any

from relay.core.nodesecrets import LEFT, MARK, Lack, marks, nobodys, weigh
from relay.core.routing import Account, Auth, OAuthClient, Provider, Routing, SecretKind, SecretReference
from relay.core.words import MailboxId, Plan

ANNA = "anna@d.test"
BOX = MailboxId("lab", ANNA)
OLD, NEW, THIRD = "a" * 64, "b" * 64, "c" * 64


def routing(kind: SecretKind = SecretKind.ENV, name: str = "ANNA", **provider: Any) -> Routing:
    lab = replace(Provider("lab", "smtp.lab.test", 465), **provider)
    account = Account(ANNA, Plan.BUSINESS, BOX, password=SecretReference(kind, name))
    return Routing(providers={"lab": lab}, accounts={ANNA: account})


NOW = routing()


def said(
    own: str | None,
    in_force: str | None,
    *,
    before: str | None = None,
    old: Routing | None = None,
    now: Routing = NOW,
    lacking: tuple[str, ...] = (),
) -> tuple[str | None, Lack | None]:
    """What is in force, and what this node lacks, when it has looked."""
    known = {} if before is None else {BOX: before[:MARK]}
    found = weigh(now, {BOX: own}, old=old or now, in_force={BOX: in_force}, before=known, lacking=lacking)
    return found.prints[BOX], found.unable.get(BOX)


def test_what_is_the_same_everywhere_is_left_to_nobody() -> None:
    assert said(OLD, OLD) == (OLD, None)
    assert said(None, None) == (None, None), "nobody has it"


def test_who_lacks_a_secret_takes_it_from_nobody() -> None:
    assert said(None, OLD) == (OLD, Lack.MISSING)
    assert said(None, OLD, before=OLD) == (OLD, Lack.MISSING), "though it had it once"


def test_who_has_what_nobody_had_gives_it_to_all() -> None:
    assert said(NEW, None) == (NEW, None)


def test_a_change_counts_and_a_difference_does_not() -> None:
    assert said(NEW, OLD, before=OLD) == (NEW, None)
    assert said(NEW, OLD, before=NEW) == (OLD, Lack.OTHER), "the others changed it since"
    assert said(NEW, OLD) == (OLD, Lack.OTHER), "a node that never looked before"


def test_who_logs_in_as_nobody_has_no_say() -> None:
    """Its password may be an old one or none: it is never tried, so nothing would show that it is wrong."""

    def taken(own: str | None, in_force: str | None, *, now: Routing = NOW) -> tuple[str | None, int]:
        marks = {BOX: OLD[:MARK]}
        found = weigh(now, {BOX: own}, old=NOW, in_force={BOX: in_force}, before=marks, delivers=False)
        return found.prints[BOX], len(found.unable)

    assert taken(NEW, OLD) == (OLD, 0), "not even by a change"
    assert taken(None, OLD) == (OLD, 0)
    assert taken(OLD, None) == (None, 0), "who delivers has none: to have it here helps nobody"
    assert taken(None, OLD, now=routing(name="OTHER")) == (OLD, 0), "who delivers says what the edit comes to"
    assert taken(NEW, OLD, now=routing(name="OTHER")) == (NEW, 0)
    assert taken(NEW, OLD, now=routing(SecretKind.STORED)) == (NEW, 0), "what is the same everywhere, anybody changes"


def test_what_no_node_has_any_more_is_without_until_one_has_it() -> None:
    """Nothing is in force then, and who has merely another one does not try that one instead."""
    found = weigh(NOW, {BOX: None}, old=NOW, in_force={BOX: OLD}, before={BOX: OLD[:MARK]}, nobodys={BOX: OLD})
    assert (found.prints[BOX], found.unable) == (None, {})
    assert said(None, None, before=OLD) == (None, None), "it stays so"
    assert said(OLD, None, before=OLD) == (OLD, None), "and whoever finds it again gives it to all"
    other = weigh(NOW, {BOX: NEW}, old=NOW, in_force={BOX: OLD}, before={}, nobodys={BOX: OLD})
    assert (other.prints[BOX], other.unable) == (None, {BOX: Lack.OTHER}), "another one may be a stale one"
    later = weigh(NOW, {BOX: None}, old=NOW, in_force={BOX: NEW}, before={}, nobodys={BOX: OLD})
    assert (later.prints[BOX], later.unable) == (NEW, {BOX: Lack.MISSING}), "what is in force by now somebody has"


def test_who_had_merely_another_one_puts_it_in_force_only_if_it_changes() -> None:
    left = marks(NOW, {BOX: NEW}, {}, unable={BOX: Lack.OTHER})
    assert left == {BOX: LEFT + NEW[:MARK]}
    gone = marks(NOW, {BOX: None}, left)
    assert gone == left, "over a time without it, too"

    def looked(own: str, in_force: str | None) -> tuple[str | None, Lack | None]:
        found = weigh(NOW, {BOX: own}, old=NOW, in_force={BOX: in_force}, before=left)
        return found.prints[BOX], found.unable.get(BOX)

    assert looked(NEW, None) == (None, Lack.OTHER)
    assert looked(NEW, OLD) == (OLD, Lack.OTHER), "that is no change either"
    assert looked(THIRD, None) == looked(THIRD, OLD) == (THIRD, None)
    assert looked(NEW, NEW) == (NEW, None)
    assert marks(NOW, {BOX: NEW}, left) == {BOX: NEW[:MARK]}, "what was in force is no more left"
    assert said(OLD, None, before=OLD) == (OLD, None), "and who had what was in force gives it to all"


def test_a_secret_is_nobodys_if_all_lack_it() -> None:
    second = MailboxId("lab", "bruno@d.test")
    assert nobodys([BOX, second], [[BOX], [second, BOX]]) == {BOX}
    assert nobodys([BOX], []) == {BOX}, "there is no other node"
    assert nobodys([BOX], [[BOX], []]) == frozenset()


def test_two_changes_at_once_come_to_rest() -> None:
    """Whoever comes last counts, and the other one has nothing new to say."""
    first, _ = said(NEW, OLD, before=OLD)
    second, lack = said(THIRD, first, before=OLD)
    assert (second, lack) == (THIRD, None)
    assert said(NEW, second, before=NEW) == (THIRD, Lack.OTHER)
    assert said(THIRD, second, before=THIRD) == (THIRD, None)


def test_what_the_store_or_the_routing_holds_is_the_same_on_all_nodes_and_counts_as_it_is_found() -> None:
    for kind in (SecretKind.STORED, SecretKind.LITERAL):
        assert said(NEW, OLD, now=routing(kind)) == (NEW, None)
        assert said(None, OLD, now=routing(kind)) == (None, None), "somebody has dropped it"


def test_another_reference_or_another_host_is_an_edit_and_what_is_found_counts() -> None:
    assert said(None, OLD, now=routing(name="OTHER"), old=routing()) == (None, None)
    assert said(NEW, OLD, now=routing(host="other.test"), old=routing()) == (NEW, None)
    assert said(None, OLD, now=routing(connections=1), old=routing(connections=2)) == (OLD, Lack.MISSING)


def test_a_client_without_its_secret_is_no_better_than_a_mailbox_without_one() -> None:
    client = OAuthClient("relay", SecretReference(SecretKind.ENV, "CLIENT"), "https://auth.test/token")
    now = routing(SecretKind.STORED, auth=Auth.OAUTH2, oauth=client)
    assert said(NEW, OLD, now=now, before=OLD, lacking=("lab",)) == (OLD, Lack.MISSING)
    assert marks(now, {BOX: NEW}, {BOX: OLD[:MARK]}, lacking=("lab",)) == {BOX: OLD[:MARK]}


def test_a_mailbox_that_is_new_gets_what_is_found() -> None:
    found = weigh(routing(), {BOX: OLD}, old=Routing(), in_force={}, before={})
    assert (dict(found.prints), found.unable) == ({BOX: OLD}, {})


def test_a_node_remembers_what_it_had_over_a_time_without() -> None:
    assert marks(routing(), {BOX: NEW}, {}) == {BOX: NEW[:MARK]}
    assert marks(routing(), {BOX: None}, {BOX: OLD[:MARK]}) == {BOX: OLD[:MARK]}
    assert marks(routing(SecretKind.STORED), {BOX: NEW}, {}) == {}, "what is the same everywhere needs no memory"
