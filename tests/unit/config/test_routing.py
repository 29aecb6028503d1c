"""routing.yaml worked in: account goes before plan, plan before provider, provider before profile; limits add up."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from ipaddress import ip_network
from pathlib import Path

import pytest

from relay.config.problems import Loaded
from relay.config.references import References
from relay.config.routing import RoutingLoader, load_routing, read_parts_here
from relay.core.limits import HOUR, MINUTE, SECOND, parse_limit
from relay.core.routing import (
    Auth,
    BareNewline,
    InDoubt,
    OAuthClient,
    Owner,
    Routing,
    SecretKind,
    SecretReference,
    Timeouts,
    Tls,
)
from relay.core.words import MailboxId, Plan

LAB = "providers:\n  lab: {host: 127.0.0.1, port: 2526, tls: none, auth: none}\n"


def load(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> Loaded[Routing]:
    (folder / "routing.yaml").write_text(text)
    return load_routing(folder / "routing.yaml", References(environ or {}))


def routing(folder: Path, text: str) -> Routing:
    loaded = load(folder, text)
    assert loaded.value is not None, loaded.problems
    return loaded.value


def texts(loaded: Loaded[Routing]) -> list[str]:
    return [problem.text for problem in loaded.problems]


def test_a_client_arrives_with_all_that_it_says(tmp_path: Path) -> None:
    found = routing(
        tmp_path,
        """
clients:
  studio-rossi:
    password: env:HASH
    may_send_as: ["*@studiorossi.it"]
    networks: [10.0.0.0/8]
    bare_newline: reject
  server-room: {networks: [127.0.0.0/8], may_send_as: ["*@d.test"]}
""",
    ).clients
    studio, room = found["studio-rossi"], found["server-room"]
    assert studio.password == SecretReference(SecretKind.ENV, "HASH")
    assert (studio.may_send_as, studio.networks) == (("*@studiorossi.it",), (ip_network("10.0.0.0/8"),))
    assert (studio.bare_newline, room.bare_newline) == (BareNewline.REJECT, BareNewline.NORMALIZE)
    assert (room.name, room.password) == ("server-room", None)


def test_a_provider_arrives_with_all_that_it_says(tmp_path: Path) -> None:
    lab = routing(
        tmp_path,
        """
providers:
  lab:
    host: mail.lab.example
    port: 2526
    tls: none
    tls_ca: lab-ca.pem
    plaintext: allow
    auth: oauth2
    limits: [5/1s, 20/10s]
    total_limits: [100/1s]
    connections: 2
    total_connections: 7
    login_limit: 5/1h
    linger: 1m
    reserve: 10%
    session: {messages: 50}
    warmup: on
    oauth: {client_id: relay, client_secret: secret:lab, token_url: "https://login.example/token", scope: smtp}
    express_share: 30%
    timezone: Europe/Lisbon
    timeouts: {final: 5m}
    maintenance: [["2027-01-10 22:00", "2027-01-11 04:00"]]
""",
    ).providers["lab"]
    assert (lab.host, lab.port, lab.tls, lab.allow_plaintext) == ("mail.lab.example", 2526, Tls.NONE, True)
    assert lab.tls_ca == str(tmp_path / "lab-ca.pem")
    assert (lab.auth, lab.oauth) == (
        Auth.OAUTH2,
        OAuthClient("relay", SecretReference(SecretKind.STORED, "lab"), "https://login.example/token", "smtp"),
    )
    assert lab.limits == (parse_limit("5/1s"), parse_limit("20/10s"))
    assert (lab.total_limits, lab.login_limit) == ((parse_limit("100/s"),), parse_limit("5/h"))
    assert (lab.connections, lab.total_connections, lab.linger) == (2, 7, MINUTE)
    assert (lab.reserve, lab.express_share) == (Fraction(1, 10), Fraction(3, 10))
    assert (lab.session_messages, lab.session_idle, lab.has_warmup) == (50, 30 * SECOND, True)
    assert (lab.timezone, lab.timeouts) == ("Europe/Lisbon", Timeouts(final=5 * MINUTE))
    assert lab.maintenance == (("2027-01-10 22:00", "2027-01-11 04:00"),)


def test_a_token_url_of_its_own_takes_the_place_of_the_profiles_tenant(tmp_path: Path) -> None:
    url = "https://login.example/token"
    entry = f"microsoft365: {{profile: microsoft365, oauth: {{client_id: x, token_url: {url!r}}}}}"
    found = routing(tmp_path, f"providers: {{{entry}}}\n")
    client = found.providers["microsoft365"].oauth
    assert client is not None
    assert client.token_url == url


def test_a_provider_that_says_little_has_the_promised_defaults(tmp_path: Path) -> None:
    bare = routing(tmp_path, "providers:\n  a: {host: a.it}\n  b: {host: b.it, tls: implicit}\n").providers
    a = bare["a"]
    assert (a.tls, a.port, bare["b"].port, a.auth) == (Tls.STARTTLS, 587, 465, Auth.PASSWORD)
    assert (a.limits, a.total_limits, a.reserve, a.express_share) == ((), (), Fraction(0), Fraction(0))
    assert (a.connections, a.total_connections, a.login_limit, a.linger) == (1, 20, parse_limit("10/10m"), 2 * MINUTE)
    assert (a.session_messages, a.session_idle, a.has_warmup) == (100, 30 * SECOND, False)
    assert a.timeouts == Timeouts(30 * SECOND, 60 * SECOND, 3 * MINUTE, 10 * MINUTE)


def test_a_provider_overrides_its_profile_key_by_key(tmp_path: Path) -> None:
    found = routing(
        tmp_path,
        """
providers:
  aruba: {profile: aruba}
  own: {profile: aruba, host: mail.own.it, limits: [5/m]}
  clear: {profile: gmail, host: 127.0.0.1, tls: none}
""",
    ).providers
    aruba, own, clear = found["aruba"], found["own"], found["clear"]
    assert (aruba.host, aruba.port, aruba.tls) == ("smtps.aruba.it", 465, Tls.IMPLICIT)
    assert aruba.limits == (parse_limit("8/m"), parse_limit("150/20m"))
    assert (own.host, own.port, own.connections) == ("mail.own.it", 465, 2)
    assert own.limits == (parse_limit("5/m"),), "a provider's limits replace its profile's"
    assert (clear.port, clear.reserve) == (587, Fraction(1, 4)), "another TLS has another port, unless one is named"


def test_an_account_goes_before_its_plan_and_limits_add_up(tmp_path: Path) -> None:
    found = routing(
        tmp_path,
        LAB
        + """
plans:
  business:
    {provider: lab, weight: 4, limits: [100/h], owner: {name: vendor}, late: reject, lifetime: 1d, on_paused: hold}
  legacy: {provider: lab, retires: 2027-10-31}
accounts:
  a@d.test: {plan: business}
  b@d.test:
    {plan: business, weight: 2, limits: [300/d, 100/h], owner: {name: B}, late: accept, on_paused: hold-then-reject 1h}
  c@d.test: {plan: legacy, in_doubt: hold, recipient_check: dns, paid_until: 2027-11-30}
  d@d.test: {provider: lab}
""",
    )
    a, b, c, d = (found.accounts[f"{name}@d.test"] for name in "abcd")
    assert (a.plan, a.weight, a.limits, a.owner) == (Plan.BUSINESS, 4, (parse_limit("100/h"),), Owner("vendor"))
    assert (a.late, a.lifetime, a.on_paused) == ("reject", 24 * HOUR, "hold")
    assert (b.weight, b.owner, b.late) == (2, Owner("B"), "accept")
    assert b.limits == (parse_limit("100/h"), parse_limit("300/d")), (
        "a plan's limit stays, and the same one counts once"
    )
    assert (b.on_paused, b.on_paused_after) == ("hold-then-reject", HOUR)
    assert (c.retires, c.paid_until) == (date(2027, 10, 31), date(2027, 11, 30))
    assert (c.in_doubt, c.recipient_check) == (InDoubt.HOLD, "dns")
    assert (d.plan, d.weight, d.limits, d.retires) == (Plan.PERSONAL, 1, (), None)
    assert (d.late, d.recipient_check, d.on_paused, d.on_paused_after) == (
        "accept",
        "none",
        "hold-then-reject",
        4 * HOUR,
    )


def test_a_mailbox_has_its_providers_limits_less_the_reserve_and_the_accounts_as_written(tmp_path: Path) -> None:
    found = routing(tmp_path, "accounts:\n  x@libero.it: {password: env:X, limits: [100/h]}\n")
    mailbox = MailboxId("libero", "x@libero.it")
    assert found.limits_of(mailbox) == tuple(map(parse_limit, ("3/m", "45/h", "225/d", "100/h")))


@pytest.mark.parametrize(
    ("sender", "said", "provider"),
    [
        ("a@libero.it", "", "libero"),
        ("a@iol.it", "", "libero"),
        ("a@hotmail.it", "", "outlook"),
        ("a@googlemail.com", "", "gmail"),
        ("a@studio.it", "username: a@virgilio.it", "virgilio"),
        ("a@GMAIL.com", "username: nobody", "gmail"),
        ("a@libero.it", "provider: gmail", "gmail"),
        ("a@gmail.com", "plan: business", "aruba"),
    ],
)
def test_the_provider_is_named_or_the_plans_or_found_by_the_mailboxs_domain(
    tmp_path: Path, sender: str, said: str, provider: str
) -> None:
    text = f"plans: {{business: {{provider: aruba}}}}\naccounts:\n  {sender}: {{password: env:X, {said}}}\n"
    found = routing(tmp_path, text)
    (account,) = found.accounts.values()
    assert account.mailbox.provider == provider
    assert set(found.providers) == {provider}, "of the built-in providers only those in use are there"


def test_a_domain_finds_the_entry_that_has_its_profile(tmp_path: Path) -> None:
    text = (
        "providers: {{mail: {{profile: gmail, limits: [1/m]}}{more}}}\naccounts: {{a@gmail.com: {{password: env:X}}}}\n"
    )
    assert routing(tmp_path, text.format(more="")).accounts["a@gmail.com"].mailbox.provider == "mail"
    two = text.format(more=", gmail: {profile: gmail, host: other.it}")
    assert routing(tmp_path, two).accounts["a@gmail.com"].mailbox.provider == "gmail"
    loaded = load(tmp_path, text.format(more=", post: {profile: gmail, host: other.it}"))
    assert loaded.value is None
    assert texts(loaded)[0].startswith("no provider")


def test_one_mailbox_is_one_however_its_address_is_spelled(tmp_path: Path) -> None:
    found = routing(
        tmp_path,
        LAB
        + """
accounts:
  A.Rossi@D.Test: {provider: lab, aliases: [Info@D.Test], replaces: {Old@D.Test: 2027-12-31}}
  b@d.test: {provider: lab, username: A.ROSSI@d.test}
  c@d.test: {provider: lab, username: AKIAX}
""",
    )
    assert set(found.by_mailbox) == {MailboxId("lab", "a.rossi@d.test"), MailboxId("lab", "AKIAX")}
    account = found.account_of("INFO@d.test")
    assert account is not None
    assert account.sender == "a.rossi@d.test"
    assert account.replaces == {"old@d.test": date(2027, 12, 31)}
    assert found.account_of("OLD@d.test") is account


def test_credentials_that_are_not_there_are_warnings_and_stop_nobody_else(tmp_path: Path) -> None:
    loaded = load(
        tmp_path, "accounts:\n  a@libero.it: {password: env:A}\n  b@libero.it: {password: env:B}\n", {"A": "x"}
    )
    assert loaded.value is not None
    assert len(loaded.value.accounts) == 2
    assert texts(loaded) == ["env:B is not set: this account is held as no-credentials"]


def test_a_mailbox_without_authentication_needs_no_credentials(tmp_path: Path) -> None:
    assert load(tmp_path, LAB + "accounts: {a@d.test: {provider: lab}}\n").problems == ()


def test_accounts_of_one_practice_share_the_password_that_one_of_them_names(tmp_path: Path) -> None:
    text = "accounts:\n  a@fastwebnet.it: {password: env:A}\n  b@studio.it: {username: a@fastwebnet.it}\n"
    loaded = load(tmp_path, text, {"A": "x"})
    assert loaded.problems == ()
    assert loaded.value is not None
    assert loaded.value.password_of(MailboxId("fastweb", "a@fastwebnet.it")) == SecretReference(SecretKind.ENV, "A")


def test_an_address_that_its_provider_refuses_is_a_warning_and_the_account_runs(tmp_path: Path) -> None:
    text = "accounts:\n  a@studio.it: {provider: libero, username: a@libero.it, password: env:A}\n"
    loaded = load(tmp_path, text, {"A": "x"})
    assert loaded.value is not None
    assert "a@studio.it" in loaded.value.accounts
    (problem,) = loaded.problems
    assert (problem.severity, problem.line) == ("warning", 2)
    assert "Libero lets this mailbox send only as a@libero.it and refuses a@studio.it" in problem.text


def test_a_file_reference_starts_at_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("hush\n")
    loaded = load(tmp_path, "accounts: {a@libero.it: {password: file:pw}}\n")
    assert loaded.problems == ()
    assert loaded.value is not None
    assert loaded.value.accounts["a@libero.it"].password == SecretReference(SecretKind.FILE, str(tmp_path / "pw"))


def test_an_entry_with_an_error_is_not_held_against_others(tmp_path: Path) -> None:
    text = """
providers: {lab: {host: 127.0.0.1, tls: nothing}}
plans: {business: {provider: lab, weight: heavy}}
accounts:
  a@d.test: {provider: lab}
  b@d.test: {plan: business}
"""
    loaded = load(tmp_path, text)
    assert texts(loaded) == ["expected none, starttls or implicit", "expected a whole number, found text"]


def test_a_folder_is_the_sum_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(LAB)
    (tmp_path / "b.yaml").write_text("plans: {business: {provider: lab, weight: 3}}\n")
    (tmp_path / "c.yaml").write_text("accounts: {x@d.test: {plan: business}}\n")
    (tmp_path / ".c.yaml.swp").write_text("not: read")
    (tmp_path / ".hidden.yaml").write_text("not: read")
    loaded = load_routing(tmp_path, References({}))
    assert loaded.problems == ()
    assert loaded.value is not None
    assert loaded.value.accounts["x@d.test"].weight == 3


def test_a_routing_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    loaded = load_routing(tmp_path / "routing.yaml", References({}))
    assert loaded.value is None
    assert texts(loaded) == ["cannot be read: no such file or directory"]


def test_only_the_files_that_changed_are_read_again(tmp_path: Path) -> None:
    read: list[str] = []

    def read_parts(files):
        read.extend(Path(file).name for file, _ in files)
        return read_parts_here(files)

    (tmp_path / "a.yaml").write_text(LAB)
    for name in ("b", "c"):
        (tmp_path / f"{name}.yaml").write_text(f"accounts: {{{name}@d.test: {{provider: lab}}}}\n")
    loader = RoutingLoader(tmp_path, read_parts)
    first = loader.load(References({})).value
    (tmp_path / "c.yaml").write_text("accounts: {c@d.test: {provider: lab, weight: 9}}\n")
    second = loader.load(References({})).value
    (tmp_path / "a.yaml").write_text(LAB + "plans: {personal: {weight: 5}}\n")
    third = loader.load(References({})).value

    assert first is not None
    assert second is not None
    assert third is not None
    assert read == ["a.yaml", "b.yaml", "c.yaml", "c.yaml", "a.yaml"]
    assert second.accounts["b@d.test"] is first.accounts["b@d.test"]
    assert [account.weight for account in second.accounts.values()] == [1, 9]
    assert [account.weight for account in third.accounts.values()] == [5, 9], "what plans say reaches unread files too"


def test_no_problem_repeats_a_secret(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
clients: {studio: {password: hush-hush, may_send_as: ["*"]}}
providers: {lab: {host: 127.0.0.1, oauth: {client_id: x, client_secret: hush-hush, password: hush-hush}}}
accounts: {a@libero.it: {password: hush-hush}, b@libero.it: {password: [hush-hush]}}
""",
    )
    assert len(loaded.problems) == 5
    assert "hush-hush" not in "\n".join(map(str, loaded.problems))
    assert "hush-hush" not in repr(loaded)
