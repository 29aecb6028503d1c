"""The dashboard: every panel says what it shows and in which unit, and asks for what the relay has."""

from collections import Counter

import pytest
import yaml

from relay.observe import declared
from tests.deploy.dashboard import FILE, PROVISIONING, dashboard, panels, queries
from tests.deploy.rules import RUNBOOK, anchors, metrics_in

PROCESS = {"process_resident_memory_bytes"}
BY_TITLE = {panel["title"]: panel for panel in panels()}


def test_the_panels_have_ids_and_titles_of_their_own() -> None:
    everything = dashboard()["panels"]
    assert max(Counter(panel["id"] for panel in everything).values()) == 1
    assert len(BY_TITLE) == len(panels()) > 20


@pytest.mark.parametrize("title", BY_TITLE)
def test_a_panel_says_what_it_shows_and_in_which_unit(title: str) -> None:
    panel = BY_TITLE[title]
    assert panel["description"].endswith((".", "`"))
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]
    assert {target["refId"] for target in panel["targets"]} == set("ABC"[: len(panel["targets"])])


@pytest.mark.parametrize("title", BY_TITLE)
def test_a_panel_asks_the_source_that_the_reader_chose(title: str) -> None:
    panel = BY_TITLE[title]
    for asked in (panel, *panel["targets"]):
        assert asked["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


@pytest.mark.parametrize("title", BY_TITLE)
def test_a_panel_that_names_a_section_of_the_runbook_names_one_that_is_there(title: str) -> None:
    _, named, section = BY_TITLE[title]["description"].partition("Runbook: ")
    assert not named or section.rstrip(".").lower() in anchors(RUNBOOK)


def test_no_panel_lies_over_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


@pytest.mark.parametrize(("title", "query"), list(queries()))
def test_a_panel_asks_for_metrics_that_the_relay_has(title: str, query: str) -> None:
    assert metrics_in(query)
    assert metrics_in(query) <= {each.name for each in declared.ALL} | PROCESS


def test_every_metric_of_the_relay_is_on_the_dashboard() -> None:
    shown = {name for _, query in queries() for name in metrics_in(query)}
    assert {each.name for each in declared.ALL} <= shown


def test_the_variables_are_a_source_and_the_providers() -> None:
    source, provider = dashboard()["templating"]["list"]
    assert (source["name"], source["type"], source["query"]) == ("datasource", "datasource", "prometheus")
    assert (provider["name"], provider["type"]) == ("provider", "query")
    assert provider["includeAll"]


def test_grafana_is_told_where_prometheus_and_the_dashboards_are() -> None:
    (source,) = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert (source["type"], source["url"], source["isDefault"]) == ("prometheus", "$PROMETHEUS_URL", True)
    (folder,) = yaml.safe_load((PROVISIONING / "dashboards" / "relay.yml").read_text())["providers"]
    assert (folder["type"], folder["options"]["path"]) == ("file", "/var/lib/grafana/dashboards")
    assert FILE.parent.name == "dashboards"
