"""What any provider may say, as rules about reasons: the generic text rules, in the order in which they are tried.

Law: a rule names why something was refused, in any wording and in Italian as in English, never one provider's text; the
narrow reason stands before the wide one.
"""

from relay.core.reasons.egress import ADDRESS, CLOSED
from relay.core.reasons.first import SPECIAL
from relay.core.reasons.limits import CROWDED, LIMITED, SIZES
from relay.core.reasons.login import REJECTED, TEMPORARY
from relay.core.reasons.mail import AUTHENTICITY, CONTENT, SPAM
from relay.core.reasons.measured import MEASURED
from relay.core.reasons.method import METHOD
from relay.core.reasons.recipient import FULL, GUESSED, RECIPIENT
from relay.core.reasons.sender import AS_OTHER, SENDER
from relay.core.reasons.service import HELPERS, SERVICE, SPOKEN, TLS
from relay.core.reasons.stopped import BLOCKED
from relay.core.reasons.whose import CONTRACT
from relay.core.rules import Rule

REASONS: tuple[Rule, ...] = (
    *MEASURED,
    *CONTRACT,
    *GUESSED,
    *HELPERS,
    *AS_OTHER,
    *SPECIAL,
    *CROWDED,
    *TLS,
    *TEMPORARY,
    *METHOD,
    *BLOCKED,
    *REJECTED,
    *SIZES,
    *ADDRESS,
    *FULL,
    *LIMITED,
    *CONTENT,
    *AUTHENTICITY,
    *SENDER,
    *RECIPIENT,
    *SPAM,
    *SPOKEN,
    *SERVICE,
    *CLOSED,
)
"""First hit wins."""
