"""What the relay says about itself: every metric declared once, one function per log event."""

from relay.observe.census import WARNINGS, Census, Certificate, NodeState
from relay.observe.format import as_json, as_text
from relay.observe.log import Log, silence_libraries, where
from relay.observe.metrics import CONTENT_TYPE_LATEST, Answer, Metrics, Outcome, Told
from relay.observe.sink import LineSink

__all__ = [
    "CONTENT_TYPE_LATEST",
    "WARNINGS",
    "Answer",
    "Census",
    "Certificate",
    "LineSink",
    "Log",
    "Metrics",
    "NodeState",
    "Outcome",
    "Told",
    "as_json",
    "as_text",
    "silence_libraries",
    "where",
]
