"""The image and the composition: nothing floats, nothing runs as root, nothing can be written that need not be."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

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
    assert "user" not in service, "each image names a user of its own"


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


def test_the_relay_is_left_the_time_to_drain() -> None:
    assert int(SERVICES["relay"]["stop_grace_period"].removesuffix("s")) >= 30 + 2 * 15


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
