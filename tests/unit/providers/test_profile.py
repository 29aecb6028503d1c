"""The built-in profiles: where each provider is, how it takes logins, and how little it is safe to start with."""

import re
from fractions import Fraction

import pytest

from relay.app import settings
from relay.config.ground import lay_ground
from relay.config.part import read_part
from relay.config.problems import Report
from relay.core.limits import MINUTE, parse_limit
from relay.core.routing import Auth, OAuthClient, Provider, Routing, Tls
from relay.core.words import MailboxId
from relay.providers import load_profiles
from relay.store.engine.routes import Routes

IMPLICIT, STARTTLS = Tls.IMPLICIT, Tls.STARTTLS
FACTS = {
    "aruba": ("smtps.aruba.it", 465, IMPLICIT, Auth.PASSWORD, ["8/m", "150/20m"], 2, 0),
    "libero": ("smtp.libero.it", 465, IMPLICIT, Auth.PASSWORD, ["4/m", "60/h", "300/d"], 1, 25),
    "virgilio": ("out.virgilio.it", 465, IMPLICIT, Auth.PASSWORD, ["4/m", "60/h", "300/d"], 1, 25),
    "gmail": ("smtp.gmail.com", 465, IMPLICIT, Auth.PASSWORD, ["10/m", "400/d"], 1, 25),
    "google-workspace": ("smtp.gmail.com", 465, IMPLICIT, Auth.OAUTH2, ["20/m", "1600/d"], 1, 0),
    "outlook": ("smtp-mail.outlook.com", 587, STARTTLS, Auth.OAUTH2, ["4/m", "100/d"], 1, 25),
    "microsoft365": ("smtp.office365.com", 587, STARTTLS, Auth.OAUTH2, ["25/m", "8000/d"], 2, 0),
    "yahoo": ("smtp.mail.yahoo.com", 465, IMPLICIT, Auth.PASSWORD, ["10/m", "300/d"], 1, 25),
    "icloud": ("smtp.mail.me.com", 587, STARTTLS, Auth.PASSWORD, ["10/m", "800/d"], 1, 25),
    "tim": ("smtp.tim.it", 587, STARTTLS, Auth.PASSWORD, ["4/m", "200/d"], 1, 25),
    "alice": ("out.alice.it", 587, STARTTLS, Auth.PASSWORD, ["4/m", "200/d"], 1, 25),
    "register": ("authsmtp.securemail.pro", 465, IMPLICIT, Auth.PASSWORD, ["4/m", "900/calendar-day"], 1, 0),
    "tiscali": ("smtp.tiscali.it", 465, IMPLICIT, Auth.PASSWORD, ["4/m", "200/d"], 1, 25),
    "fastweb": ("smtp.fastwebnet.it", 587, STARTTLS, Auth.PASSWORD, ["4/m", "200/d"], 1, 25),
    "gmx": ("mail.gmx.com", 465, IMPLICIT, Auth.PASSWORD, ["4/m", "200/d"], 1, 25),
    "zoho": ("smtp.zoho.eu", 465, IMPLICIT, Auth.PASSWORD, ["4/m", "200/d"], 1, 0),
    "ovh": ("ssl0.ovh.net", 465, IMPLICIT, Auth.PASSWORD, ["4/m", "200/d"], 1, 0),
    "brevo": ("smtp-relay.brevo.com", 587, STARTTLS, Auth.PASSWORD, [], 1, 0),
    "mailgun": ("smtp.mailgun.org", 587, STARTTLS, Auth.PASSWORD, [], 1, 0),
}
"""Host, port, TLS, authentication, limits to start with, sessions, and the percentage left to the owner."""


def provider(name: str) -> Provider:
    found = lay_ground([], load_profiles(), Report).providers[name]
    assert found is not None
    return found


@pytest.mark.parametrize("name", sorted(FACTS))
def test_a_profile_says_what_is_known_of_its_provider(name: str) -> None:
    host, port, tls, auth, limits, connections, reserve = FACTS[name]
    found = provider(name)
    assert (found.host, found.port, found.tls, found.auth) == (host, port, tls, auth)
    assert found.limits == tuple(map(parse_limit, limits))
    assert (found.connections, found.reserve * 100, found.express_share * 100) == (
        connections,
        Fraction(reserve),
        Fraction(20),
    )
    assert (found.name, found.profile, found.timezone) == (name, name, "Europe/Rome")


@pytest.mark.parametrize(
    ("name", "size"), [("icloud", 20_000_000), ("gmail", 25_000_000), ("microsoft365", 35_000_000), ("aruba", None)]
)
def test_the_greatest_message_of_a_provider_is_known_where_mail_is_taken_in(name: str, size: int | None) -> None:
    assert provider(name).message_size == size


def test_where_a_domain_is_counted_its_mailboxes_together_stay_within_what_is_documented() -> None:
    assert {name for name, profile in load_profiles().items() if profile.is_counted_by_domain} == {"register"}
    assert provider("register").total_limits == (parse_limit("900/calendar-day"),), "documented: 1,000 a domain"
    assert all(not provider(name).total_limits for name in FACTS if name != "register")


CONTRACTS = frozenset({"brevo", "mailgun"})
"""Services whose sessions are those of a contract."""


@pytest.mark.parametrize("name", sorted(FACTS))
def test_a_session_ends_and_a_lost_one_lingers_as_the_profile_says(name: str) -> None:
    routing = Routing(providers={name: provider(name)})
    terms = settings.session_terms(routing, name)
    assert terms.messages == (
        100 if name in CONTRACTS else 50 if name in {"aruba", "google-workspace", "microsoft365"} else 20
    )
    assert Routes(routing=routing).linger_of(MailboxId(name, "x@y.test")) == 5 * MINUTE


@pytest.mark.parametrize("name", sorted(set(FACTS) - CONTRACTS))
def test_a_burst_at_its_own_pace_needs_no_more_logins_than_half_of_what_a_mailbox_has(name: str) -> None:
    """Else short sessions would spend `login_limit`, and the mail would wait for it."""
    found = provider(name)
    pace = next(limit for limit in found.limits if limit.width == MINUTE)
    assert 10 * pace.count <= found.session_messages * found.login_limit.count / 2
    assert found.login_limit == parse_limit("10/10m")


def test_who_lets_passwords_expire_and_who_takes_tickets_stands_in_the_profile() -> None:
    assert {name for name in FACTS if provider(name).expires_passwords} == {"libero"}
    assert {name for name, profile in load_profiles().items() if profile.takes_tickets} == {"aruba"}


def test_whom_only_its_own_addresses_may_use_is_not_shown_the_null_sender() -> None:
    refusing = {"aruba", "libero", "virgilio", "tim", "alice", "gmx"}
    assert {name for name in FACTS if not provider(name).takes_null_sender} == refusing


def test_an_entry_that_overrides_a_profile_keeps_what_only_the_profile_knows() -> None:
    content = b"providers: {mine: {profile: icloud, host: 127.0.0.1}, own: {host: 127.0.0.1}}"
    ground = lay_ground([read_part("routing.yaml", content)], load_profiles(), Report)
    mine, own = ground.providers["mine"], ground.providers["own"]
    assert mine is not None
    assert own is not None
    assert (mine.message_size, own.message_size, own.takes_null_sender) == (20_000_000, None, True)


def test_no_profile_is_without_a_test_but_the_one_whose_host_depends_on_the_contract() -> None:
    assert set(load_profiles()) == {*FACTS, "ses"}
    ground = lay_ground([], load_profiles(), Report)
    assert "ses" not in ground.providers, "its host names the region, so it needs an entry"


def test_a_mail_domain_is_at_one_provider_only() -> None:
    domains = [domain for profile in load_profiles().values() for domain in profile.domains]
    assert len(domains) == len(set(domains))
    assert all(re.fullmatch(r"[a-z0-9.-]+\.[a-z]+", domain) for domain in domains)


@pytest.mark.parametrize(
    ("domain", "name"),
    [
        ("libero.it", "libero"), ("iol.it", "libero"), ("blu.it", "libero"), ("inwind.it", "libero"),
        ("giallo.it", "libero"), ("virgilio.it", "virgilio"), ("gmail.com", "gmail"), ("hotmail.it", "outlook"),
        ("live.it", "outlook"), ("msn.com", "outlook"), ("yahoo.it", "yahoo"), ("icloud.com", "icloud"),
        ("tim.it", "tim"), ("alice.it", "alice"), ("tin.it", "alice"), ("tiscali.it", "tiscali"),
        ("fastwebnet.it", "fastweb"),
    ],
)  # fmt: skip
def test_the_mailboxes_of_a_domain_find_their_provider(domain: str, name: str) -> None:
    assert lay_ground([], load_profiles(), Report).domains[domain] == name


@pytest.mark.parametrize(
    ("name", "token_url", "scope"),
    [
        (
            "outlook",
            "https://login.microsoftonline.com/consumers/oauth2/v2.0/token",
            "https://outlook.office.com/SMTP.Send offline_access",
        ),
        (
            "microsoft365",
            "https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
            "https://outlook.office.com/SMTP.Send offline_access",
        ),
        ("gmail", "https://oauth2.googleapis.com/token", "https://mail.google.com/"),
        ("google-workspace", "https://oauth2.googleapis.com/token", "https://mail.google.com/"),
    ],
)
def test_who_registers_a_client_has_to_say_no_more(name: str, token_url: str, scope: str) -> None:
    content = f"providers: {{{name}: {{profile: {name}, auth: oauth2, oauth: {{client_id: x}}}}}}".encode()
    found = lay_ground([read_part("routing.yaml", content)], load_profiles(), Report).providers[name]
    assert found is not None
    assert found.oauth == OAuthClient("x", None, token_url, scope)


def test_without_a_client_a_profile_asks_nobody_for_tokens() -> None:
    assert {provider(name).oauth for name in ("outlook", "gmail")} == {None}
