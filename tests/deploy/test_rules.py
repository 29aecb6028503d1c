"""Alerts: each says what it means and where to read on, is seen to fire when it should, and to keep quiet else."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from relay.observe import declared
from tests.deploy.rules import PROMETHEUS, RUNBOOK, alerts, anchors, cases, metrics_in, recordings

VERBS = re.compile(r"`relay ((?:(?:queue|account|keys|secret) )?[a-z-]+)")


def commands() -> set[tuple[str, ...]]:
    """Every verb of `relay` that the runbook has its reader type."""
    return {tuple(verb.split()) for verb in VERBS.findall(RUNBOOK.read_text())}


ALERTS = {each["alert"]: each for each in alerts()}
PROCESS = {"process_start_time_seconds"}
PATIENCE = 120


def promtool(*arguments: str) -> str:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_it_means_and_whom_it_calls(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert len(alert["annotations"]["description"]) > len(alert["annotations"]["summary"]) > 10
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_leads_to_its_own_section_of_the_runbook(name: str) -> None:
    page, _, anchor = ALERTS[name]["annotations"]["runbook_url"].partition("#")
    assert page == "docs/runbook.md"
    assert anchor == name.lower()
    assert anchor in anchors(RUNBOOK)


@pytest.mark.parametrize("name", ALERTS)
def test_the_section_of_an_alert_says_what_one_sees_what_it_means_and_what_to_do(name: str) -> None:
    section = re.search(rf"^### {name}$(.*?)(?=^#|\Z)", RUNBOOK.read_text(), re.MULTILINE | re.DOTALL)
    assert section is not None
    for part in ("**You see**", "**It means**", "**Do**"):
        assert part in section[1], part


def test_the_runbook_has_no_section_for_an_alert_that_is_not_there() -> None:
    headings = re.findall(r"^### (Relay\w+)$", RUNBOOK.read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_tested_to_fire_and_to_keep_quiet(name: str) -> None:
    asked = [question for _, question in cases() if f'alertname="{name}"' in question["expr"]]
    assert any(question["exp_samples"] for question in asked), "it fires"
    assert any(not question["exp_samples"] for question in asked), "it does not fire for nothing"


@pytest.mark.parametrize("expression", [each["expr"] for each in [*alerts(), *recordings()]])
def test_a_rule_asks_for_metrics_that_the_relay_has(expression: str) -> None:
    assert metrics_in(expression) <= {each.name for each in declared.ALL} | PROCESS
    recorded = set(re.findall(r"\b[a-z_]*:[a-z0-9_:]+", re.sub(r'"[^"]*"', "", expression)))
    assert recorded <= {each["record"] for each in recordings()}


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("file", ["prometheus.yml", "prometheus-nodes.yml"])
def test_prometheus_takes_the_configuration_and_the_rules(file: str) -> None:
    assert "SUCCESS" in promtool("check", "config", str(PROMETHEUS / file))


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("file", sorted((PROMETHEUS / "tests").glob("*.yml")), ids=lambda file: file.stem)
def test_the_alerts_fire_when_they_should(file: Path) -> None:
    promtool("test", "rules", str(file))


@pytest.mark.parametrize("command", sorted(commands()))
def test_a_command_that_the_runbook_names_is_one_that_the_relay_has(command: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from relay.cli import main; main()", *command, "--help"],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
