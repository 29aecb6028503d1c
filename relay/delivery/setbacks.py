"""What went wrong in a try to log in, in the words that `classify` judges.

Law: a foreign error ends here: what is left of it is a reply of the provider or a failure, and a fault where it is
known.
"""

import ssl
from dataclasses import dataclass

from aiosmtplib import SMTPException, SMTPResponseException

from relay.core.meaning import Failure, Fault
from relay.core.reply import Reply, read_reply
from relay.core.words import Stage
from relay.delivery.mechanisms import BadChallenge
from relay.delivery.trust import fault_of
from relay.delivery.wire import NotEncrypted, Wire, WireFailed
from relay.errors import TemporaryError

_CLOSING = 421


class Unfit(TemporaryError):
    """what the provider said is no refusal, but it cannot be used like this"""

    def __init__(self, failure: Failure, said: Reply | None = None, *, fault: Fault | None = None) -> None:
        super().__init__()
        self.failure = failure
        self.said = said
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Seen:
    """What is judged; what the provider said, where it said something; and what is known beyond that."""

    what: Reply | Failure
    said: Reply | None = None
    fault: Fault | None = None


def seen_in(error: BaseException, stage: Stage, wire: Wire | None) -> Seen | None:
    """What an error at this stage shows; None: it is none of the provider's."""
    if isinstance(error, Unfit):
        return Seen(error.failure, error.said, error.fault)
    if isinstance(error, SMTPResponseException):
        reply = read_reply(error.code, str(error.message))
        is_refusal = stage is Stage.STARTTLS and reply.code != _CLOSING
        return Seen(reply, reply, Fault.TLS_REFUSED if is_refusal else None)
    if isinstance(error, NotEncrypted):
        return Seen(error.failure, fault=Fault.TLS_NOT_SPOKEN)
    if isinstance(error, WireFailed):
        return Seen(error.failure)
    if isinstance(error, ssl.SSLError):
        return Seen(Failure.UNVERIFIED, fault=fault_of(error))
    if isinstance(error, BadChallenge):
        return Seen(Failure.NONSENSE)
    if isinstance(error, TimeoutError):
        return Seen(Failure.TIMEOUT)
    if isinstance(error, (OSError, SMTPException)):
        failure = wire.failure if wire is not None else Failure.UNREACHABLE
        is_injected = stage is Stage.STARTTLS and failure is Failure.NONSENSE  # the library saw the 220 and hung up
        return Seen(failure or Failure.LOST, fault=Fault.TLS_INJECTED if is_injected else None)
    return None
