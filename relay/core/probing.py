"""The probe of a mailbox: which delivery shows whether it works, what its delivery proves, and whose a refusal is.

Law: what was said in a mailbox's name may have been one recipient's trouble; so another recipient's mail is the next
probe, and what one alone hears again after others went through is that one's. A report of ours goes to the doctor
himself: it proves nothing of what was refused to his patients.
"""

from relay.core.envelope import Kind, Result, Verdict
from relay.core.health import PACED, Health, HealthEvent
from relay.core.healthsettings import DAILY

TURNS = PACED | {
    HealthEvent.BLOCKED,
    HealthEvent.SENDER_REFUSED,
    HealthEvent.SENDER_FULL,
    HealthEvent.POLICY_REFUSED,
    HealthEvent.SPAM_OFTEN,
    HealthEvent.GUARDED,
    HealthEvent.REFUSED,
    HealthEvent.UNKNOWN,
    HealthEvent.BUSY,
}
"""Said in answer to a mail: a login, or a line that breaks, has other ways of showing whose it is."""

_OF_CLIENTS = frozenset(
    {
        HealthEvent.GUARDED,
        HealthEvent.SPAM_OFTEN,
        HealthEvent.POLICY_REFUSED,
        HealthEvent.SENDER_REFUSED,
        HealthEvent.SENDER_FULL,
    }
)
"""Nothing is wrong with a report, whose sender is empty and whose recipient is the mailbox itself."""

REMEMBERED: int = 2 * DAILY
"""How long a recipient's refusal is held against him: where one probe goes a day, others went through since."""


def takes_turns(health: Health) -> bool:
    """Whether the next probe is another recipient's."""
    return health.is_stopped and health.cause in TURNS


def needs_client_mail(health: Health) -> bool:
    """Whether only a client's mail shows that it works."""
    return health.is_stopped and health.cause in _OF_CLIENTS


def is_proof(health: Health, kind: Kind) -> bool:
    """Whether a mail of this kind that went through shows that the mailbox works."""
    return kind is Kind.MAIL or not needs_client_mail(health)


def may_be_its_own(result: Result, event: HealthEvent | None) -> bool:
    """Whether a refusal that stops the mailbox can be this recipient's after all."""
    is_refusal = result.verdict in (Verdict.DEFERRED, Verdict.HELD) and result.reply is not None
    return is_refusal and event in TURNS and not result.is_provider
