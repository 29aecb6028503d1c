"""What any provider may say, as rules about reasons: the generic text rules, in the order in which they are tried.

Law: a rule names why something was refused, in any wording and in Italian as in English, never one provider's text; the
narrow reason stands before the wide one.
"""

from relay.core.reasons.limits import CROWDED, LIMITED, SIZES
from relay.core.reasons.login import BLOCKED, LOGIN
from relay.core.reasons.mail import AUTHENTICITY, CONTENT, SENDER, SPAM
from relay.core.reasons.recipient import FULL, RECIPIENT, SPECIAL
from relay.core.reasons.service import ADDRESS, CLOSED, SERVICE, SPOKEN, TLS
from relay.core.reasons.whose import CONTRACT
from relay.core.rules import Rule

REASONS: tuple[Rule, ...] = (
    *CONTRACT,
    *SPECIAL,
    *CROWDED,
    *TLS,
    *LOGIN,
    *BLOCKED,
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
