"""The routes that read messages and accounts.

Law: they only ask, a page at a time; what there is none of is 404, never an empty answer.
"""

from collections.abc import Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter, HTTPException, Path, Query, Response

from relay.admin.account_shapes import AccountDetail, ListedAccounts
from relay.admin.asking import in_time
from relay.admin.clerk import Clerk
from relay.admin.queries import LONGEST, AccountFilter, MessageFilter
from relay.admin.shapes import Message, Messages
from relay.admin.showing_accounts import detail_of, listed_of
from relay.admin.writing import one_message, page_of, page_of_messages
from relay.core.words import MailboxId
from relay.store.ports.healths import HealthChange
from relay.store.ports.reading import Reading

PREFIX = "/api/v1"

CHANGES: int = 50
"""Changes of health that are shown with an account: what a screen holds, and some weeks."""


class MailboxHealths(Protocol):
    """What of the healths' port it needs."""

    async def of_mailbox(self, mailbox: MailboxId, *, most: int = CHANGES) -> Sequence[HealthChange]: ...


def list_routes(reading: Reading, healths: MailboxHealths, clerk: Clerk) -> APIRouter:
    """Messages and accounts; the clerk knows which address was perhaps meant, and how a mailbox logs in."""
    routes = APIRouter(prefix=PREFIX)

    @routes.get("/messages", tags=["messages"], summary="List messages, newest first", response_model=Messages)
    async def messages(asked: Annotated[MessageFilter, Query()]) -> Response:
        """Messages that are queued or were, with the state of each delivery and without its attempts."""
        return await page_of_messages(await in_time(reading.messages(asked.query())))

    @routes.get("/messages/{id}", tags=["messages"], summary="Show a message", response_model=Message)
    async def message(
        ident: Annotated[str, Path(alias="id", description="As in `queued as`.", max_length=LONGEST)],
    ) -> Response:
        """One message with all attempts of its deliveries."""
        found = await in_time(reading.message(ident))
        if found is None:
            raise HTTPException(404, "there is no message of this id; its history may be over")
        return await one_message(found)

    @routes.get("/accounts", tags=["accounts"], summary="List accounts, by sender", response_model=ListedAccounts)
    async def accounts(asked: Annotated[AccountFilter, Query()]) -> Response:
        """Accounts with the health of their mailboxes, what they have queued, and their limits in use."""
        return await page_of(await in_time(reading.accounts(asked.query())), listed_of)

    @routes.get("/accounts/{sender:path}", tags=["accounts"], summary="Show an account")
    async def account(
        sender: Annotated[
            str, Path(description="Any address that it sends as, whatever its case.", max_length=LONGEST)
        ],
    ) -> AccountDetail:
        """One account with all that is known of it."""
        found = await in_time(reading.account(sender))
        if found is None:
            meant = clerk.like(sender)
            hint = "" if meant is None else f"; did you mean {meant}?"
            raise HTTPException(404, f"there is no account of this sender, in the routing or in the queue{hint}")
        history = () if found.mailbox is None else await in_time(healths.of_mailbox(found.mailbox, most=CHANGES))
        return detail_of(found, history, await in_time(clerk.access(found.sender)))

    return routes
