"""relay.yaml: the defaults that are promised, every key of the long form, and paths that start at the file."""

from dataclasses import fields, is_dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from relay import vault
from relay.config.loading import KEY_FILE, ConfigUnreadable, load_service
from relay.config.problems import Severity
from relay.config.service import ServiceConfig
from relay.config.values import Address
from relay.core.limits import HOUR, MINUTE, SECOND, Limit
from relay.core.routing import InDoubt, SecretKind, SecretReference, Tls

SMALLEST = 'submission:\n  listen: [{address: "127.0.0.1:2525", tls: none}]\nrouting: routing.yaml\n'
WITH_KEY = {"RELAY_KEY": "set"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "routing.yaml").write_text("{}\n")
    return tmp_path


def load(folder: Path, text: str) -> ServiceConfig:
    (folder / "relay.yaml").write_text(text)
    config, problems = load_service(folder / "relay.yaml", WITH_KEY)
    assert config is not None, problems
    return config


def test_what_is_left_out_has_the_promised_default(folder: Path) -> None:
    config = load(folder, SMALLEST)
    assert (config.hostname, config.language, config.store, config.durability) == (None, "en", "sqlite", "checked")
    assert config.http.listen == Address("127.0.0.1", 8025)
    assert config.drain == 30 * SECOND
    assert config.contact == ""
    submission = config.submission
    assert submission.max_message_size == 25_000_000
    assert (submission.max_recipients, submission.max_connections, submission.max_connections_per_ip) == (
        100,
        1000,
        100,
    )
    assert submission.timeout == 300 * SECOND
    queue = config.queue
    assert (queue.lifetime, queue.hold_lifetime, queue.delay_notice) == (72 * HOUR, 168 * HOUR, 4 * HOUR)
    assert queue.retry == (5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR)
    assert queue.in_doubt is InDoubt.RESEND
    health = config.health
    assert health.probe == (5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR)
    assert (health.second_refusal, health.refused_logins, health.slow) == (5 * MINUTE, Limit(3, HOUR), (1, 32))
    notices = config.notices
    assert {getattr(notices, field.name) for field in fields(notices) if field.name != "allow_private"} == {None}
    assert notices.allow_private is False


def test_every_key_of_the_long_form_arrives(folder: Path) -> None:
    config = load(
        folder,
        """
hostname: relay.example.it
language: it
data_dir: data
keys_dir: /etc/keys
store: redis://:hush@db:6379/0
submission:
  listen:
    - {address: "127.0.0.1:2525", tls: none}
    - {address: "0.0.0.0:587", tls: starttls, proxy_protocol: [10.0.0.0/8], trust_networks: true}
    - {address: "[::]:2526", tls: none, plaintext: allow}
  tls: {certificate: tls/fullchain.pem, key: tls/privkey.pem}
  max_message_size: 10MiB
  max_recipients: 10
  max_connections: 20
  max_connections_per_ip: 5
  timeout: 1m
http: {listen: "127.0.0.1:1"}
queue: {lifetime: 1d, hold_lifetime: 2d, delay_notice: 0, retry: [1m], in_doubt: hold}
health: {probe: [1m], second_refusal: 1m, refused_logins: 1/h, slow: [2, 4]}
drain: 1s
durability: relaxed
role: delivery
notices:
  heartbeat_webhook: "https://h.it"
  from: a@b.it
  ops_webhook: "https://o.it"
  ops_webhook_secret: secret:hook
  postmaster: p@b.it
contact: Assistenza 0974
routing: routing.yaml
""",
    )
    first, second, third = config.submission.listen
    assert (first.tls, first.is_on_loopback, first.trust_networks) == (Tls.NONE, True, False)
    assert (second.tls, second.trust_networks, second.proxy_protocol) == (
        Tls.STARTTLS,
        True,
        (ip_network("10.0.0.0/8"),),
    )
    assert (third.address, third.plaintext, third.is_on_loopback) == (Address("::", 2526), "allow", False)
    assert config.submission.tls is not None
    assert config.submission.tls.key == folder / "tls/privkey.pem"
    assert config.submission.max_message_size == 10 * 2**20
    assert config.notices.ops_webhook_secret == SecretReference(SecretKind.STORED, "hook")
    assert config.notices.sender == "a@b.it"
    assert (config.data_dir, config.key_folder) == (folder / "data", Path("/etc/keys"))
    assert (config.queue.delay_notice, config.queue.in_doubt, config.health.slow) == (0, InDoubt.HOLD, (2, 4))
    assert (config.durability, config.role) == ("relaxed", "delivery")
    assert "hush" not in repr(config)


def test_paths_start_at_the_file_that_names_them(folder: Path) -> None:
    config = load(folder, SMALLEST)
    assert config.routing == folder / "routing.yaml"
    assert config.data_dir == folder.parent / "var"
    assert config.key_folder == folder.parent / "var/keys"


def test_an_empty_section_is_a_section_of_defaults(folder: Path) -> None:
    assert load(folder, SMALLEST + "queue:\nhealth:\nnotices:\nhttp:\n").queue.lifetime == 72 * HOUR


def test_the_whole_of_it_is_frozen(folder: Path) -> None:
    def frozen(value: object) -> bool:
        if not is_dataclass(value):
            return not isinstance(value, (list, dict, set))
        inner = all(frozen(getattr(value, field.name)) for field in fields(value))
        parameters: Any = getattr(type(value), "__dataclass_params__")  # noqa: B009 - dataclasses name it nowhere else
        return inner and bool(parameters.frozen)

    assert frozen(load(folder, SMALLEST))


def test_a_file_that_cannot_be_opened_is_said_apart(folder: Path) -> None:
    with pytest.raises(ConfigUnreadable, match="cannot be opened: no such file"):
        load_service(folder / "rely.yaml", WITH_KEY)
    with pytest.raises(ConfigUnreadable, match="is a directory"):
        load_service(folder, WITH_KEY)


def test_keys_beside_the_data_are_warned_of_unless_the_environment_has_the_key(folder: Path) -> None:
    (folder / "relay.yaml").write_text(SMALLEST + "data_dir: var\n")
    config, problems = load_service(folder / "relay.yaml", {})
    assert config is not None
    assert ["keys are on the disk" in problem.text for problem in problems] == [True]
    assert load_service(folder / "relay.yaml", WITH_KEY).problems == ()


@pytest.mark.parametrize(("mode", "is_warned"), [(0o600, False), (0o640, False), (0o644, True), (0o602, True)])
def test_a_key_that_everybody_can_read_is_warned_of(folder: Path, mode: int, is_warned: bool) -> None:
    assert KEY_FILE == vault.KEY_FILE
    (folder / "relay.yaml").write_text(SMALLEST + "data_dir: var\nkeys_dir: keys\n")
    (folder / "keys").mkdir()
    key = folder / "keys" / KEY_FILE
    key.write_text("key")
    key.chmod(mode)
    warned = [problem for problem in load_service(folder / "relay.yaml", {}).problems if "chmod 600" in problem.text]
    assert [(problem.severity, problem.line) for problem in warned] == [(Severity.WARNING, 5)] * is_warned
    assert load_service(folder / "relay.yaml", WITH_KEY).problems == (), "then the file is not used"


def test_a_secret_of_the_service_never_shows_in_a_problem(folder: Path) -> None:
    text = SMALLEST + "store: mysql://u:hush@db\nnotices: {ops_webhook_secret: [hush], ops_webhook: hush}\n"
    (folder / "relay.yaml").write_text(text)
    config, problems = load_service(folder / "relay.yaml", WITH_KEY)
    assert config is None
    assert "hush" not in "\n".join(map(str, problems))
    assert len(problems) == 3
