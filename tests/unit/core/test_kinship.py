"""Entries that lead to the same place are kin, from when they do and for good."""

from relay.core.kinship import NO_KIN, Kinship
from relay.core.routing import Provider, Routing
from relay.core.words import MailboxId


def routing(**hosts: str) -> Routing:
    return Routing(providers={name: Provider(name, host, 465) for name, host in hosts.items()})


def names(kinship: Kinship, provider: str) -> list[str]:
    return [each.provider for each in kinship.of(MailboxId(provider, "a@studio.test"))]


def test_who_leads_elsewhere_is_no_kin() -> None:
    kinship = NO_KIN.under(routing(one="smtp.one.test", two="smtp.two.test"))
    assert names(kinship, "one") == names(kinship, "unheard-of") == []
    assert not kinship.has_kin("one")


def test_a_host_is_the_same_in_any_case_and_another_at_another_port() -> None:
    kinship = NO_KIN.under(routing(one="smtp.one.test", two="SMTP.one.test"))
    assert names(kinship, "one") == ["two"]
    assert names(kinship, "two") == ["one"]
    elsewhere = Routing(providers={"three": Provider("three", "smtp.one.test", 587)})
    assert names(kinship.under(elsewhere), "three") == []


def test_the_login_is_the_same() -> None:
    kinship = NO_KIN.under(routing(one="smtp.one.test", two="smtp.one.test"))
    assert list(kinship.of(MailboxId("one", "B"))) == [MailboxId("two", "B")]


def test_who_is_gone_or_has_moved_is_still_kin() -> None:
    kinship = NO_KIN.under(routing(old="smtp.one.test")).under(routing(new="smtp.one.test", old="smtp.two.test"))
    assert names(kinship, "new") == ["old"]
    assert names(kinship.under(routing(new="smtp.one.test")), "new") == ["old"]


def test_the_totals_of_who_is_gone_go_to_who_is_there() -> None:
    both = NO_KIN.under(routing(old="smtp.one.test", new="smtp.one.test"))
    assert both.gone_of("new") == both.heirs_of("old") == ()
    one = both.under(routing(new="smtp.one.test"))
    assert (one.gone_of("new"), one.heirs_of("old")) == (("old",), ("new",))
    assert one.heirs_of("new") == one.gone_of("unheard-of") == ()


def test_equal_routings_make_equal_kin() -> None:
    kinship = NO_KIN.under(routing(one="smtp.one.test", two="smtp.one.test"))
    assert kinship.has_kin("one")
    assert kinship.under(routing(one="smtp.one.test", two="smtp.one.test")) == kinship
