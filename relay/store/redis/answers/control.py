"""What people say about accounts (relay/store/sql/control.sql).

Law: who resumes an account that nobody paused changes nothing.
"""

from relay.store.engine.ledger import Row
from relay.store.redis.ledger import RedisLedger


def paused_accounts(ledger: RedisLedger) -> list[Row]:
    """Accounts that a person has paused."""
    paused = sorted(ledger.all_rows("paused_accounts"))
    senders = {row["id"]: row["sender"] for row in ledger.glance("accounts", [account for account, *_ in paused])}
    return [(senders[account], since, why) for account, since, why in paused if account in senders]


def pause_account(ledger: RedisLedger, account: int, since: int, why: str) -> int:
    """A person keeps an account's mail back; since when stays, why is as he says it now."""
    if not ledger.change("paused_accounts", account, why=why):
        ledger.put("paused_accounts", (account, since, why))
    return 1


def resume_account(ledger: RedisLedger, account: int) -> int:
    """He lets it go."""
    return ledger.drop("paused_accounts", account)
