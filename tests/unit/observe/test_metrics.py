"""Metrics: named as the interface says, each with a sentence, and no series that a peer could make."""

from dataclasses import dataclass

import pytest
from prometheus_client.parser import text_string_to_metric_families

from relay.core.routing import Account, Client, Provider, Routing
from relay.core.words import Lane, MailboxId, Plan
from relay.observe import Answer, Census, Metrics, Outcome, declared
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


@pytest.fixture
def metrics():
    metrics = Metrics("0.1.0")
    metrics.routing_applied(ROUTING, at=1000.0)
    return metrics


ORDER = (
    "client",
    "provider",
    "plan",
    "outcome",
    "class",
    "state",
    "lane",
    "operation",
    "health",
    "result",
    "version",
    "le",
)


def values(metrics, name, census=None):
    """Samples of one metric: labels, as the interface orders them, to value."""
    found = {}
    for family in text_string_to_metric_families(metrics.render(census or Census()).decode()):
        for sample in family.samples:
            if sample.name == name:
                found[tuple(sample.labels[label] for label in ORDER if label in sample.labels)] = sample.value
    return found


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
    assert values(metrics, "relay_submissions_total")["none", "rejected"] == 50
    assert values(metrics, "relay_upstream_logins_total") == {("none", "deferred"): 50}
    assert values(metrics, "relay_attempts_total") == {("none", "unknown"): 50}
    assert values(metrics, "relay_deliveries_total") == {("none", "none", "delivered"): 50}
    assert values(metrics, "relay_delivery_delay_seconds_count") == {("none", "bulk"): 50}
    assert values(metrics, "relay_in_doubt_total") == {("none",): 50}


def test_an_attempt_counts_by_what_the_reply_meant(metrics):
    metrics.attempted("aruba", "rate-limited")
    metrics.attempted("aruba", "rate-limited")
    assert values(metrics, "relay_attempts_total") == {("aruba", "rate-limited"): 2}
    assert values(metrics, "relay_deliveries_total") == {}


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_delivery_counts_by_its_outcome_and_its_accounts_plan(metrics, outcome):
    metrics.ended("aruba", SENDER, outcome)
    assert values(metrics, "relay_deliveries_total") == {("aruba", "business", outcome.value): 1}


def test_attempts_in_doubt_are_counted(metrics):
    metrics.doubted("aruba")
    assert values(metrics, "relay_in_doubt_total") == {("aruba",): 1}


def test_logins_and_sessions_are_counted_by_provider(metrics):
    metrics.logged_in("aruba", Answer.ACCEPTED)
    metrics.session_changed("aruba", 1)
    metrics.session_changed("aruba", 1)
    metrics.session_changed("aruba", -1)
    assert values(metrics, "relay_upstream_logins_total") == {("aruba", "accepted"): 1}
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
    assert values(metrics, "relay_store_seconds_count") == {("put",): 2}
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
    metrics.render(Census([Queue("gone", 5, 1, 2, 12.5)]))
    assert values(metrics, "relay_queue_deliveries", Census()) == {
        ("aruba", "waiting"): 0, ("aruba", "sending"): 0, ("aruba", "held"): 0,
    }  # fmt: skip
    assert values(metrics, "relay_queue_oldest_seconds", Census()) == {("aruba",): 0}


def test_a_queue_that_cannot_be_counted_shows_no_noughts(metrics):
    text = metrics.render(None).decode()
    assert "relay_queue_deliveries" not in text
    assert "relay_build_info" in text


def test_there_are_no_series_beside_those_that_are_named(metrics):
    metrics.submitted("studio-rossi", Answer.ACCEPTED)
    assert "_created" not in metrics.render(Census()).decode()


def test_lag_and_version_are_shown(metrics):
    metrics.loop_was_late(0.02)
    assert values(metrics, "relay_event_loop_lag_seconds") == {(): 0.02}
    assert values(metrics, "relay_build_info") == {("0.1.0",): 1}


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
    census = Census([Queue("aruba", 1, 1, 1, 1.0)], [Healths("business", "ok", 1)])
    found = {}
    for family in text_string_to_metric_families(metrics.render(census).decode()):
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = (family.type, family.documentation, labels)
    assert found == {each.name: (each.kind.value, each.sentence, set(each.labels)) for each in declared.ALL}


def test_the_classes_are_a_closed_vocabulary():
    assert len(CLASSES) == 26
