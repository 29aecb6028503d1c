"""The conformance suites of the books: the ports beside the mail, one file each, every coroutine function one check.

Law: a suite talks to a scene and its books; the model, which knows the mail alone, is no adapter here.
"""

from tests.contract.books import (
    about,
    control,
    foresight,
    healths,
    notices,
    recipients,
    riddles,
    secrets,
    stranded,
    suppressions,
    traffic,
    trials,
    unheard,
)
from tests.contract.suites import Check, checks_of

SUITES = (
    about,
    control,
    foresight,
    healths,
    notices,
    recipients,
    riddles,
    secrets,
    stranded,
    suppressions,
    traffic,
    trials,
    unheard,
)

CHECKS: tuple[Check, ...] = tuple(check for suite in SUITES for check in checks_of(suite))
