"""Metrics: named as the interface says, each with a sentence, and no series that a peer could make."""

from dataclasses import dataclass

import pytest
from prometheus_client.parser import text_string_to_metric_families

from relay.core.routing import Account, Client, Provider, Routing
from relay.core.tested import Finding
from relay.core.words import Lane, MailboxId, Plan
from relay.observe import Answer, Census, Certificate, Metrics, NodeState, Outcome, Told, declared
from relay.observe.declared import Kind
from relay.observe.metrics import CLASSES

SENDER = "m.rossi@studiorossi.it"
MAILBOX = MailboxId("aruba", SENDER)
ROUTING = Routing(
    clients={"studio-rossi": Client("studio-rossi", ("*@studiorossi.it",))},
    providers={"aruba": Provider("aruba", "smtps.aruba.it", 465)},
    accounts={SENDER: Account(SENDER, Plan.BUSINESS, MAILBOX)},
)


@dataclass
class Queue:
    provider: str
    waiting: int
    sending: int
    held: int
    oldest_seconds: float | None


@dataclass
class Healths:
    plan: str
    health: str
    accounts: int


@dataclass
class Wait:
    provider: str
    seconds: float


@dataclass
class Host:
    provider: str
    health: str


@dataclass
class ByName:
    account: str
    health: str
    used_ratio: float
    drain_seconds: float | None


@pytest.fixture
def metrics():
    metrics = Metrics("0.1.0")
    metrics.routing_applied(ROUTING, at=1000.0)
    return metrics


CENSUS = Census(
    queues=[Queue("aruba", 1, 1, 1, 1.0)],
    healths=[Healths("business", "ok", 1)],
    waits=[Wait("aruba", 30.0)],
    providers=[Host("aruba", "paused")],
    accounts=[ByName(SENDER, "slowed", 0.75, 120.0), ByName("b@x.it", "paused", 0.0, None)],
    nodes={("all", "running"): 2, ("delivery", "silent"): 1},
    dropped=7,
)
NODE = NodeState(
    is_ready=True,
    warnings=frozenset({"replica"}),
    free_bytes=5_000,
    certificates=[Certificate("0.0.0.0:465", 86_400.0)],
    notices={"mail": 0.0, "webhook": 960.0},
)

ORDER = (
    "client",
    "provider",
    "plan",
    "outcome",
    "class",
    "state",
    "lane",
    "role",
    "what",
    "operation",
    "account",
    "health",
    "result",
    "version",
    "listener",
    "le",
)


def values(metrics, name, census=None):
    """Samples of one metric: labels, as the interface orders them, to value."""
    found = {}
    for family in text_string_to_metric_families(metrics.render(census or Census(), NodeState()).decode()):
        for sample in family.samples:
            if sample.name == name:
                found[tuple(sample.labels[label] for label in ORDER if label in sample.labels)] = sample.value
    return found


def counted(metrics, name, census=None):
    """The samples of a metric that are not nought."""
    return {labels: value for labels, value in values(metrics, name, census).items() if value}


def test_a_mail_is_counted_by_client_and_answer(metrics):
    metrics.submitted("studio-rossi", Answer.ACCEPTED)
    metrics.submitted("studio-rossi", Answer.ACCEPTED, 2)
    assert values(metrics, "relay_submissions_total")["studio-rossi", "accepted"] == 3


def test_a_client_that_is_known_has_its_series_before_its_first_mail(metrics):
    assert values(metrics, "relay_submissions_total") == {
        ("studio-rossi", "accepted"): 0,
        ("studio-rossi", "rejected"): 0,
        ("studio-rossi", "deferred"): 0,
    }


def test_names_that_a_peer_makes_up_become_no_series(metrics):
    for number in range(50):
        metrics.submitted(f"attacker{number}", Answer.REJECTED)
        metrics.logged_in(f"gone{number}", Answer.DEFERRED)
        metrics.delivered(f"gone{number}", Lane.BULK, 1.0)
        metrics.attempted(f"gone{number}", f"class{number}")
        metrics.ended(f"gone{number}", f"{number}@x.it", Outcome.DELIVERED)
        metrics.doubted(f"gone{number}")
    assert counted(metrics, "relay_submissions_total") == {("none", "rejected"): 50}
    assert counted(metrics, "relay_upstream_logins_total") == {("none", "deferred"): 50}
    assert counted(metrics, "relay_attempts_total") == {("none", "unknown"): 50}
    assert counted(metrics, "relay_deliveries_total") == {("none", "none", "delivered"): 50}
    assert counted(metrics, "relay_delivery_delay_seconds_count") == {("none", "bulk"): 50}
    assert counted(metrics, "relay_in_doubt_total") == {("none",): 50}


def test_an_attempt_counts_by_what_the_reply_meant(metrics):
    metrics.attempted("aruba", "rate-limited")
    metrics.attempted("aruba", "rate-limited")
    assert counted(metrics, "relay_attempts_total") == {("aruba", "rate-limited"): 2}
    assert counted(metrics, "relay_deliveries_total") == {}


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_delivery_counts_by_its_outcome_and_its_accounts_plan(metrics, outcome):
    metrics.ended("aruba", SENDER, outcome)
    assert counted(metrics, "relay_deliveries_total") == {("aruba", "business", outcome.value): 1}


def test_attempts_in_doubt_are_counted(metrics):
    metrics.doubted("aruba")
    assert values(metrics, "relay_in_doubt_total") == {("aruba",): 1}


def test_logins_and_sessions_are_counted_by_provider(metrics):
    metrics.logged_in("aruba", Answer.ACCEPTED)
    metrics.session_changed("aruba", 1)
    metrics.session_changed("aruba", 1)
    metrics.session_changed("aruba", -1)
    assert counted(metrics, "relay_upstream_logins_total") == {("aruba", "accepted"): 1}
    assert values(metrics, "relay_upstream_sessions") == {("aruba",): 1}


def test_the_delay_is_a_histogram_by_provider_and_lane(metrics):
    metrics.delivered("aruba", Lane.EXPRESS, 0.5)
    metrics.delivered("aruba", Lane.EXPRESS, -0.1)
    buckets = values(metrics, "relay_delivery_delay_seconds_bucket")
    assert buckets["aruba", "express", "0.3"] == 1, "a clock that stepped back makes no negative delay"
    assert buckets["aruba", "express", "1.0"] == 2


def test_the_store_is_timed_by_operation(metrics):
    metrics.store_took("put", 0.002)
    metrics.store_took("put", 0.2)
    assert counted(metrics, "relay_store_seconds_count") == {("put",): 2}
    assert values(metrics, "relay_store_seconds_bucket")["put", "0.003"] == 1


def test_a_refused_edit_shows_until_the_next_good_one(metrics):
    metrics.routing_refused()
    assert values(metrics, "relay_config_reload_success") == {(): 0}
    assert values(metrics, "relay_config_reload_timestamp_seconds") == {(): 1000.0}
    metrics.routing_applied(ROUTING, at=2000.0)
    assert values(metrics, "relay_config_reload_success") == {(): 1}
    assert values(metrics, "relay_config_reload_timestamp_seconds") == {(): 2000.0}


def test_the_queue_and_the_accounts_are_those_of_the_moment(metrics):
    census = Census([Queue("aruba", 5, 1, 2, 12.5), Queue("gmail", 0, 0, 0, None)], [Healths("business", "ok", 3)])
    assert values(metrics, "relay_queue_deliveries", census) == {
        ("aruba", "waiting"): 5, ("aruba", "sending"): 1, ("aruba", "held"): 2,
        ("gmail", "waiting"): 0, ("gmail", "sending"): 0, ("gmail", "held"): 0,
    }  # fmt: skip
    assert values(metrics, "relay_queue_oldest_seconds", census) == {("aruba",): 12.5, ("gmail",): 0}
    assert values(metrics, "relay_accounts", census) == {("business", "ok"): 3}


def test_a_provider_with_an_empty_queue_shows_noughts_and_one_that_is_gone_shows_nothing(metrics):
    metrics.render(Census([Queue("gone", 5, 1, 2, 12.5)]), NodeState())
    assert values(metrics, "relay_queue_deliveries", Census()) == {
        ("aruba", "waiting"): 0, ("aruba", "sending"): 0, ("aruba", "held"): 0,
    }  # fmt: skip
    assert values(metrics, "relay_queue_oldest_seconds", Census()) == {("aruba",): 0}


def test_a_queue_that_cannot_be_counted_shows_no_noughts(metrics):
    text = metrics.render(None, NodeState()).decode()
    assert "relay_queue_deliveries" not in text
    assert "relay_build_info" in text


def test_there_are_no_series_beside_those_that_are_named(metrics):
    metrics.submitted("studio-rossi", Answer.ACCEPTED)
    assert "_created" not in metrics.render(Census(), NodeState()).decode()


def test_lag_and_version_are_shown(metrics):
    metrics.loop_was_late(0.02)
    assert values(metrics, "relay_event_loop_lag_seconds") == {(): 0.02}
    assert values(metrics, "relay_build_info") == {("0.1.0",): 1}


def test_a_store_that_is_away_and_what_has_to_be_mended_about_one_are_shown(metrics):
    text = metrics.render(None, NodeState(is_store_up=False, warnings=frozenset({"durability"}))).decode()
    assert "relay_store_up 0.0" in text
    assert 'relay_store_warnings{what="durability"} 1.0' in text
    assert 'relay_store_warnings{what="replica"} 0.0' in text
    text = metrics.render(None, NodeState()).decode()
    assert "relay_store_up 1.0" in text
    assert 'relay_store_warnings{what="durability"} 0.0' in text


def test_nodes_are_counted_by_role_and_state(metrics):
    text = metrics.render(CENSUS, NODE).decode()
    assert 'relay_nodes{role="all",state="running"} 2.0' in text
    assert 'relay_nodes{role="delivery",state="silent"} 1.0' in text


def test_two_relays_in_one_process_share_no_series(metrics):
    other = Metrics("0.1.0")
    metrics.submitted("studio-rossi", Answer.ACCEPTED)
    assert values(other, "relay_submissions_total") == {}


def test_every_metric_has_a_sentence_the_prefix_and_labels_whose_values_are_known():
    for metric in declared.ALL:
        assert metric.name.startswith("relay_")
        assert metric.sentence.endswith(".")
        assert set(metric.labels) <= set(declared.LABELS)
        assert (metric.kind is Kind.HISTOGRAM) == bool(metric.buckets)
        assert (metric.kind is Kind.COUNTER) == metric.name.endswith("_total")


def test_what_is_declared_is_what_is_scraped(metrics):
    metrics.submitted("studio-rossi", Answer.ACCEPTED)
    metrics.attempted("aruba", "delivered")
    metrics.ended("aruba", SENDER, Outcome.DELIVERED)
    metrics.doubted("aruba")
    metrics.logged_in("aruba", Answer.ACCEPTED)
    metrics.session_changed("aruba", 1)
    metrics.delivered("aruba", Lane.BULK, 1.0)
    metrics.store_took("put", 0.1)
    metrics.client_logged_in(Answer.ACCEPTED)
    metrics.handshake_failed("0.0.0.0:465")
    text = metrics.render(CENSUS, NODE).decode()
    found = {}
    for family in text_string_to_metric_families(text):
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = (family.type, family.documentation, labels)
    ours = {name: what for name, what in found.items() if not name.startswith("process_")}
    assert ours == {each.name: (each.kind.value, each.sentence, set(each.labels)) for each in declared.ALL}


INTERFACE = """
relay_submissions_total{client,result} relay_attempts_total{provider,class}
relay_deliveries_total{provider,plan,outcome} relay_queue_deliveries{provider,state}
relay_queue_oldest_seconds{provider} relay_delivery_delay_seconds{provider,lane} relay_limit_wait_seconds{provider}
relay_accounts{plan,health} relay_account_health{account,health} relay_account_limit_used_ratio{account}
relay_account_queue_drain_seconds{account} relay_account_series_dropped
relay_upstream_logins_total{provider,result} relay_upstream_sessions{provider} relay_in_doubt_total{provider}
relay_config_reload_success relay_config_reload_timestamp_seconds relay_store_seconds{operation}
relay_event_loop_lag_seconds relay_tls_certificate_expiry_seconds{listener} relay_build_info{version}
"""
"""What is promised to those who scrape: names and labels, which no release takes away."""

HANDSHAKES = "relay_tls_handshakes_failed_total{listener}"
PROVIDERS = "relay_provider_health{provider,health}"
NOTICES = "relay_notices_total{type,result}"
NOTICES_OLDEST = "relay_notices_oldest_seconds{road}"
BESIDES = {PROVIDERS, "relay_ready", "relay_disk_free_bytes", "relay_client_logins_total{result}", HANDSHAKES, NOTICES}
BESIDES |= {NOTICES_OLDEST, "relay_account_tests_total{provider,finding}"}
BESIDES |= {"relay_store_up", "relay_store_warnings{what}", "relay_nodes{role,state}"}

"""What alerts need, too."""


def test_every_metric_that_is_promised_is_there_with_the_labels_that_are_promised():
    declared_as = {each.name + (f"{{{','.join(each.labels)}}}" if each.labels else "") for each in declared.ALL}
    assert declared_as == set(INTERFACE.split()) | BESIDES


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("result", {each.value for each in (*Answer, *Told)}),
        ("outcome", {each.value for each in Outcome}),
        ("finding", {each.value for each in Finding}),
        ("lane", {each.value for each in Lane}),
        ("plan", {each.value for each in Plan}),
    ],
)
def test_the_words_of_a_label_are_those_that_the_reference_names(label, words):
    assert all(word in declared.LABELS[label] for word in words)


def test_an_account_by_name_shows_its_health_how_full_it_is_and_when_its_queue_will_be_empty(metrics):
    assert values(metrics, "relay_account_health", CENSUS) == {(SENDER, "slowed"): 1, ("b@x.it", "paused"): 1}
    assert values(metrics, "relay_account_limit_used_ratio", CENSUS) == {(SENDER,): 0.75, ("b@x.it",): 0}
    assert values(metrics, "relay_account_queue_drain_seconds", CENSUS) == {(SENDER,): 120}, "b waits for somebody"
    assert values(metrics, "relay_account_series_dropped", CENSUS) == {(): 7}


def test_a_provider_that_is_stopped_shows_for_as_long_as_it_is(metrics):
    assert values(metrics, "relay_provider_health", CENSUS) == {("aruba", "paused"): 1}
    well = Census(providers=[Host("aruba", "ok")])
    assert values(metrics, "relay_provider_health", well) == {("aruba", "ok"): 1}


def test_an_account_that_is_well_and_idle_again_leaves_no_series(metrics):
    metrics.render(CENSUS, NodeState())
    assert values(metrics, "relay_account_health", Census()) == {}
    assert values(metrics, "relay_account_series_dropped", Census()) == {(): 0}


def test_a_provider_shows_how_long_its_limits_keep_mail_back_and_nought_if_they_do_not(metrics):
    assert values(metrics, "relay_limit_wait_seconds", CENSUS) == {("aruba",): 30}
    assert values(metrics, "relay_limit_wait_seconds", Census()) == {("aruba",): 0}


def test_certificates_show_how_long_they_are_valid_even_while_the_store_is_away(metrics):
    text = metrics.render(None, NodeState(certificates=[Certificate("0.0.0.0:465", -5.0)])).decode()
    assert 'relay_tls_certificate_expiry_seconds{listener="0.0.0.0:465"} -5.0' in text


def test_the_node_shows_whether_it_can_work_and_how_much_its_disk_takes(metrics):
    text = metrics.render(None, NodeState(is_ready=False, free_bytes=199_000_000)).decode()
    assert "\nrelay_ready 0.0\n" in text
    assert "\nrelay_disk_free_bytes 1.99e+08\n" in text
    assert "\nrelay_disk_free_bytes " not in metrics.render(None, NodeState(free_bytes=None)).decode()


def test_the_process_shows_its_memory_its_files_and_when_it_started(metrics):
    text = metrics.render(None, NodeState()).decode()
    for name in ("process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds"):
        assert f"\n{name} " in text


def test_the_first_event_of_a_kind_is_an_increase(metrics):
    """Prometheus sees no increase in a series that begins at one."""
    assert values(metrics, "relay_attempts_total")["aruba", "unknown"] == 0
    assert values(metrics, "relay_upstream_logins_total")["aruba", "rejected"] == 0
    assert values(metrics, "relay_in_doubt_total") == {("aruba",): 0}
    assert values(metrics, "relay_deliveries_total")["aruba", "business", "bounced"] == 0
    assert values(metrics, "relay_delivery_delay_seconds_count")["aruba", "express"] == 0
    assert values(metrics, "relay_store_seconds_count") == {("put",): 0, ("take",): 0, ("gate",): 0, ("settle",): 0}
    metrics.attempted("aruba", "unknown")
    metrics.routing_applied(ROUTING, at=2000.0)
    assert values(metrics, "relay_attempts_total")["aruba", "unknown"] == 1, "another routing forgets no count"


def test_the_classes_are_a_closed_vocabulary():
    assert len(CLASSES) == 26


def test_how_long_notices_have_waited_is_shown_by_road_and_without_the_store(metrics):
    text = metrics.render(None, NodeState(notices={"mail": 0.0, "webhook": 960.0})).decode()
    assert '\nrelay_notices_oldest_seconds{road="mail"} 0.0\n' in text
    assert '\nrelay_notices_oldest_seconds{road="webhook"} 960.0\n' in text
