"""The image and the composition: nothing floats, nothing runs as root, nothing can be written that need not be."""

import base64
import json
import re
import shutil
import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from relay.app.stopping import CLOSING
from relay.config.loading import KEY_FILE
from relay.store.redis.address import parse_address
from tests.deploy.rules import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SECRET = re.compile(r"password|secret|token|relay_key", re.IGNORECASE)
PINNED = re.compile(r"^v?\d+\.\d+\.\d+")


def instructions() -> list[tuple[str, str]]:
    """Instruction and arguments, continued lines joined, comments left out."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in text.splitlines() if line.strip()]


def last_stage() -> list[tuple[str, str]]:
    """What makes the image itself."""
    every = instructions()
    begin = max(number for number, (word, _) in enumerate(every) if word == "FROM")
    return every[begin:]


# the image


def test_what_the_image_is_made_from_is_pinned() -> None:
    (python,) = [value.partition("=")[2] for word, value in instructions() if word == "ARG"]
    assert PINNED.match(python)
    assert [value.split()[0] for word, value in instructions() if word == "FROM"] == ["python:${PYTHON}"] * 2
    installs = [
        part for word, value in instructions() if word == "RUN" for part in value.split("&&") if "pip install" in part
    ]
    assert installs
    assert all("--require-hashes" in each or "--no-index" in each for each in installs)


def test_the_image_runs_as_a_user_without_rights_and_keeps_no_compiler() -> None:
    words = [word for word, _ in last_stage()]
    assert ("USER", "relay") in last_stage()
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert not [value for word, value in last_stage() if word == "RUN" and "pip" in value]
    assert "--uid 10001" in DOCKERFILE


def test_the_image_is_asked_whether_it_lives_and_is_stopped_by_a_drain() -> None:
    found = dict(last_stage())
    assert "CMD" in found["HEALTHCHECK"]
    assert "HEALTH_URL" in found["HEALTHCHECK"]
    assert found["STOPSIGNAL"] == "SIGTERM"
    assert json.loads(found["ENTRYPOINT"]) == ["relay"]
    assert json.loads(found["CMD"]) == ["serve"]


def test_no_secret_is_baked_in() -> None:
    for word, value in instructions():
        if word in {"ENV", "ARG", "LABEL"}:
            assert not SECRET.search(value), value
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert ignored[0] == "*" or "*" in ignored, "only what is named gets to the builder"
    assert {line for line in ignored if line.startswith("!")} == {
        "!relay", "!requirements", "!pyproject.toml", "!README.md", "!CHANGELOG.md"
    }  # fmt: skip


def test_everything_that_is_copied_is_there() -> None:
    copied = [value.split()[:-1] for word, value in instructions() if word == "COPY" and "--from" not in value]
    assert all((ROOT / path).exists() for paths in copied for path in paths)


# the composition


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_write_only_to_its_volumes_and_gain_nothing(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"] == ["/tmp"]
    assert not service.get("privileged")
    assert service.get("user") == ("redis" if name == "redis" else None), (
        "each image but Redis's names a user of its own"
    )


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_built_here_or_pinned(name: str) -> None:
    image = SERVICES[name]["image"]
    assert image == "clinic-relay:local" or PINNED.match(image.rpartition(":")[2]), image


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there_and_cannot_be_written_or_is_a_volume(name: str) -> None:
    for mount in SERVICES[name]["volumes"]:
        source, _, rest = mount.partition(":")
        if source.startswith("."):
            assert (ROOT / "deploy" / source).exists(), source
            assert rest.endswith(":ro")
        else:
            assert source in COMPOSE["volumes"]


def test_nothing_is_published_beyond_this_machine() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_no_secret_stands_in_the_composition() -> None:
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            assert not SECRET.search(key) or value.startswith("${"), key


@pytest.mark.parametrize(
    ("name", "config"), [("relay", "relay"), ("relay-1", "relay-nodes"), ("relay-2", "relay-nodes")]
)
def test_a_relay_is_left_the_time_to_drain(name: str, config: str) -> None:
    drain = yaml.safe_load((ROOT / "deploy" / "compose" / f"{config}.yaml").read_text()).get("drain", "30s")
    closing_parts = 2  # what closes after the drain: clients, then the store
    least = int(drain.removesuffix("s")) + closing_parts * CLOSING
    assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) >= least


def test_prometheus_asks_from_the_relays_own_network_because_metrics_are_open_to_loopback_only() -> None:
    assert SERVICES["prometheus"]["network_mode"] == "service:relay"
    (scraped,) = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    (target,) = scraped["static_configs"][0]["targets"]
    service = yaml.safe_load((ROOT / "deploy" / "compose" / "relay.yaml").read_text())
    assert service["http"]["listen"] == target


def test_the_composition_uses_the_folders_of_the_image() -> None:
    service = yaml.safe_load((ROOT / "deploy" / "compose" / "relay.yaml").read_text())
    (volumes,) = [json.loads(value) for word, value in last_stage() if word == "VOLUME"]
    assert [service["data_dir"], service["keys_dir"]] == volumes
    mounted = {mount.split(":")[1] for mount in SERVICES["relay"]["volumes"]}
    assert mounted == {*volumes, str(Path("/etc/relay"))}


def test_clients_of_the_composition_are_known_by_its_network() -> None:
    (network,) = COMPOSE["networks"]["mail"]["ipam"]["config"]
    routing = yaml.safe_load((ROOT / "deploy" / "compose" / "routing.yaml").read_text())
    assert routing["clients"]["this-machine"]["networks"] == [network["subnet"]]


# two nodes on one Redis

NODES = yaml.safe_load((ROOT / "deploy" / "compose" / "relay-nodes.yaml").read_text())


def of_profile(name: str) -> set[str]:
    """The services that `--profile NAME` starts."""
    return {service for service, said in SERVICES.items() if name in said["profiles"]}


def test_each_profile_is_whole_and_has_nothing_of_the_other() -> None:
    assert of_profile("one") == {"relay", "sandbox", "prometheus", "grafana"}
    alone = {"relay", "prometheus"}
    assert of_profile("nodes") == set(SERVICES) - alone
    for profile in ("one", "nodes"):
        for name in of_profile(profile):
            assert set(SERVICES[name].get("depends_on", {})) <= of_profile(profile), name
        published = [port for name in of_profile(profile) for port in SERVICES[name].get("ports", [])]
        assert len(published) == len(set(published)), "two services of one profile want the same port"


def test_the_nodes_differ_in_nothing_but_where_they_keep_their_own() -> None:
    first, second = ({**SERVICES[name]} for name in ("relay-1", "relay-2"))
    own = [{each for each in node.pop("volumes") if each.endswith(NODES["data_dir"])} for node in (first, second)]
    assert first == second
    assert own[0] != own[1]


def test_the_nodes_share_a_key_and_a_store_that_come_as_secrets() -> None:
    given = {each["target"]: each["source"] for each in SERVICES["relay-1"]["secrets"]}
    assert (NODES["keys_dir"], NODES["store"]) == ("/run/secrets", "file:/run/secrets/store.url")
    assert set(given) == {KEY_FILE, "store.url"}
    files = {secret["file"] for secret in COMPOSE["secrets"].values()}
    assert all(file.startswith("./secrets/") for file in files)
    assert "/deploy/secrets/" in (ROOT / ".gitignore").read_text().split()


def test_the_script_makes_the_secrets_once_and_they_fit_each_other(tmp_path: Path) -> None:
    script = tmp_path / "compose" / "secrets.sh"
    script.parent.mkdir()
    shutil.copy(ROOT / "deploy" / "compose" / "secrets.sh", script)
    made: list[dict[str, str]] = []
    for _ in range(2):
        done = subprocess.run(["sh", str(script)], capture_output=True, text=True, timeout=60, check=True)
        made.append({file.name: file.read_text().strip() for file in (tmp_path / "secrets").iterdir()})
        assert not any(value in done.stdout + done.stderr for value in made[-1].values())
    assert made[0] == made[1], "what is there stays"
    assert set(made[0]) == {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    assert len(base64.b64decode(made[0]["relay.key"])) == 32
    _, password = made[0]["redis.conf"].split()
    assert parse_address(made[0]["store.url"]) == parse_address(f"redis://:{password}@redis:6379/0")


def test_only_the_balancers_header_is_believed() -> None:
    (listener,) = NODES["submission"]["listen"]
    assert listener["proxy_protocol"] == [SERVICES["balancer"]["networks"]["mail"]["ipv4_address"]]
    (network,) = COMPOSE["networks"]["mail"]["ipam"]["config"]
    (balancer,) = listener["proxy_protocol"]
    assert ip_address(balancer) in ip_network(network["subnet"])
    assert ip_address(balancer) not in ip_network(network["ip_range"]), "nobody else is given it"


def test_balancer_and_prometheus_know_both_nodes() -> None:
    config = (ROOT / "deploy" / "haproxy" / "balancer.cfg").read_text()
    known = dict(re.findall(r"^    server \S+ (\S+):2525 check port (\d+) .*send-proxy-v2", config, re.MULTILINE))
    prometheus = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus-nodes.yml").read_text())
    (scraped,) = prometheus["scrape_configs"]
    assert set(known) == {"relay-1", "relay-2"}
    assert scraped["static_configs"][0]["targets"] == [f"{name}:{port}" for name, port in known.items()]
    watch = (ROOT / "deploy" / "haproxy" / "watch.cfg").read_text()
    assert set(known.values()) == set(re.findall(r"bind :(\d+)", watch))
    assert re.findall(r"server relay (\S+)", watch) == [NODES["http"]["listen"]]
    assert [SERVICES[f"watch-{number}"]["network_mode"] for number in (1, 2)] == ["service:relay-1", "service:relay-2"]
    one = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    assert (one["rule_files"], one["scrape_configs"][0]["job_name"]) == (prometheus["rule_files"], scraped["job_name"])


def test_redis_is_reached_by_the_nodes_alone_and_has_the_shipped_file() -> None:
    redis = SERVICES["redis"]
    assert redis["networks"] == ["store"]
    assert COMPOSE["networks"]["store"]["internal"] is True
    assert {name for name, service in SERVICES.items() if "store" in service.get("networks", [])} == {
        "redis", "relay-1", "relay-2"
    }  # fmt: skip
    assert redis["command"][:2] == ["redis-server", "/etc/redis/redis.conf"]
    assert "./redis:/etc/redis:ro" in redis["volumes"]
    assert "requirepass" not in " ".join(redis["command"]), "everybody reads the list of processes"
