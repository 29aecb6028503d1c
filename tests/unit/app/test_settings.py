"""From the configuration to plain values: what relay.yaml says is what the parts are told."""

import json
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from relay.app import settings
from relay.app.certificates import CertificateFiles
from relay.app.run import NotThereYet, refuse_what_is_not_there
from relay.config.loading import load_service
from relay.config.service import ServiceConfig
from relay.core.failuretext import Language
from relay.core.limits import HOUR, MINUTE, SECOND
from relay.core.meaning import ReplyClass
from relay.core.routing import Account, InDoubt, Provider, Routing, Tls
from relay.core.words import MailboxId, Plan
from relay.providers import load_profiles
from relay.submission import HELD

MAILBOX = MailboxId("lab", "anna@d.test")
ROUTING = Routing(
    providers={"lab": Provider("lab", "127.0.0.1", 25, session_messages=7, session_idle=3 * SECOND)},
    accounts={"anna@d.test": Account("anna@d.test", Plan.PERSONAL, MAILBOX)},
)


def loaded(folder: Path, **changed: object) -> ServiceConfig:
    """The configuration of a relay.yaml with these keys."""
    (folder / "routing.yaml").write_text("{}")
    listen = [{"address": "127.0.0.1:2525", "tls": "none"}]
    service = {"submission": {"listen": listen}, "routing": "routing.yaml", **changed}
    (folder / "relay.yaml").write_text(json.dumps(service))
    found = load_service(folder / "relay.yaml", {})
    assert found.value is not None, found.problems
    return found.value


def test_the_queue_is_told_its_lifetimes_and_pauses(tmp_path: Path) -> None:
    queue = {"lifetime": "1d", "hold_lifetime": "2d", "retry": ["1m", "2m"], "in_doubt": "hold"}
    told = settings.store_settings(loaded(tmp_path, queue=queue, health={"probe": ["3m"]}))
    assert (told.lifetime, told.hold_lifetime) == (24 * HOUR, 48 * HOUR)
    assert told.retry == (MINUTE, 2 * MINUTE)
    assert told.in_doubt is InDoubt.HOLD
    assert told.health.probe == (3 * MINUTE,)


def test_the_queue_is_told_how_long_each_provider_keeps_a_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.store_settings(loaded(tmp_path)).health.block_times == {"register": 4 * HOUR}
    known = load_profiles()
    longer = replace(known["aruba"], blocks={ReplyClass.ACCOUNT_BLOCKED: 6 * HOUR, ReplyClass.SPAM_BLOCKED: HOUR})
    monkeypatch.setattr(settings, "load_profiles", lambda: {"aruba": longer, "gmail": known["gmail"]})
    assert settings.store_settings(loaded(tmp_path)).health.block_times == {"aruba": 6 * HOUR}


def test_submission_is_told_its_bounds_and_its_words(tmp_path: Path) -> None:
    submission = {
        "listen": [{"address": "0.0.0.0:587", "tls": "none", "plaintext": "allow", "trust_networks": True}],
        "max_message_size": "1MB",
        "max_recipients": 2,
        "max_connections": 3,
        "max_connections_per_ip": 4,
        "timeout": "5s",
    }
    told = settings.submission_settings(
        loaded(tmp_path, submission=submission, language="it", contact="0974 1", hostname="relay.example.it")
    )
    assert (told.hostname, told.language, told.contact) == ("relay.example.it", Language.ITALIAN, "0974 1")
    assert (told.max_message_size, told.max_recipients, told.timeout) == (1_000_000, 2, 5 * SECOND)
    assert (told.max_connections, told.max_connections_per_ip) == (3, 4)
    (listener,) = told.listeners
    assert (listener.name, listener.tls) == ("0.0.0.0:587", Tls.NONE)
    assert listener.has_plaintext_allowed
    assert listener.has_trusted_networks


def test_delivery_is_told_how_long_to_drain(tmp_path: Path) -> None:
    assert settings.dispatcher_settings(loaded(tmp_path, drain="7s")).drain == 7 * SECOND


def test_reports_are_told_who_sends_them_when_the_own_mailbox_cannot(tmp_path: Path) -> None:
    told = settings.report_settings(loaded(tmp_path, hostname="r.example", notices={"from": "servizio@vendor.example"}))
    assert (told.hostname, told.notices_from) == ("r.example", "servizio@vendor.example")
    told = settings.report_settings(loaded(tmp_path, contact="tel. 0575 1", queue={"hold_lifetime": "9d"}))
    assert (told.contact, told.patience) == ("tel. 0575 1", 9 * 24 * HOUR)


def test_a_relay_without_a_name_has_the_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "studio-server")
    assert settings.hostname_of(loaded(tmp_path)) == "studio-server"


def test_sessions_have_the_terms_of_their_provider() -> None:
    terms = settings.session_terms(ROUTING, "lab")
    assert (terms.messages, terms.idle) == (7, 3 * SECOND)
    assert settings.session_terms(ROUTING, "gone").messages > 0


def test_a_mailbox_that_nobody_sends_through_has_no_provider() -> None:
    assert settings.provider_of(ROUTING, MAILBOX) is ROUTING.providers["lab"]
    assert settings.provider_of(ROUTING, MailboxId("lab", "gone@d.test")) is None


def test_what_the_shipped_configuration_asks_for_is_there(tmp_path: Path) -> None:
    refuse_what_is_not_there(loaded(tmp_path))


def test_what_is_not_there_yet_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relay.app.run.coming", lambda config: [(("store",), "not there yet")])
    with pytest.raises(NotThereYet, match="store: not there yet"):
        refuse_what_is_not_there(loaded(tmp_path))


def test_a_listener_knows_its_proxies(tmp_path: Path) -> None:
    listen = [{"address": "127.0.0.1:25", "tls": "none", "proxy_protocol": ["10.1.0.0/24", "::1/128"]}]
    (listener,) = settings.submission_settings(loaded(tmp_path, submission={"listen": listen})).listeners
    assert listener.proxies == (ip_network("10.1.0.0/24"), ip_network("::1/128"))


def test_the_certificate_is_for_the_listeners_with_tls(tmp_path: Path) -> None:
    (tmp_path / "c.pem").write_text("")
    (tmp_path / "k.pem").write_text("")
    listen = [{"address": f"127.0.0.1:{port}", "tls": tls} for port, tls in ((25, "none"), (587, "starttls"))]
    files = {"certificate": "c.pem", "key": "k.pem"}
    found = settings.certificate_files(loaded(tmp_path, submission={"listen": listen, "tls": files}))
    assert found == CertificateFiles(tmp_path / "c.pem", tmp_path / "k.pem", ("127.0.0.1:587",))
    assert settings.certificate_files(loaded(tmp_path, submission={"listen": listen[:1], "tls": files})) is None


def test_what_is_said_at_a_start_names_no_secret(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        hostname="relay.example.it",
        store="rediss://relay:s3cret@db.example:6379/0?ca=/etc/ca.pem",
        notices={"ops_webhook": "https://hooks.example/s3cret", "ops_webhook_secret": "secret:s3cret"},
    )
    said = settings.shown(config)
    assert said["hostname"] == "relay.example.it"
    assert said["listen"] == ["127.0.0.1:2525"]
    assert said["drain_s"] == 30
    assert said["store"] == "rediss://db.example:6379/0"
    assert "s3cret" not in str(said)


def test_the_largest_message_always_finds_memory(tmp_path: Path) -> None:
    submission = {"listen": [{"address": "127.0.0.1:2525", "tls": "none"}], "max_message_size": "500MB"}
    assert settings.submission_settings(loaded(tmp_path, submission=submission)).max_held == 1_000_000_000
    assert settings.submission_settings(loaded(tmp_path)).max_held == HELD
