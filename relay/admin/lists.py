"""The routes that read messages and accounts.

Law: they only ask, a page at a time; what there is none of is 404, never an empty answer.
"""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Response

from relay.admin.asking import in_time
from relay.admin.queries import LONGEST, AccountFilter, MessageFilter
from relay.admin.shapes import Account, Accounts, Message, Messages
from relay.admin.showing import account_of
from relay.admin.writing import one_message, page_of, page_of_messages
from relay.store.ports.reading import Reading

PREFIX = "/api/v1"


def list_routes(reading: Reading) -> APIRouter:
    """Messages and accounts."""
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

    @routes.get("/accounts", tags=["accounts"], summary="List accounts, by sender", response_model=Accounts)
    async def accounts(asked: Annotated[AccountFilter, Query()]) -> Response:
        """Accounts with the health of their mailboxes, what they have queued, and their limits in use."""
        return await page_of(await in_time(reading.accounts(asked.query())), account_of)

    @routes.get("/accounts/{sender:path}", tags=["accounts"], summary="Show an account")
    async def account(
        sender: Annotated[str, Path(description="Its sender address, whatever its case.", max_length=LONGEST)],
    ) -> Account:
        """One account."""
        found = await in_time(reading.account(sender.lower()))
        if found is None:
            raise HTTPException(404, "there is no account of this sender, in the routing or in the queue")
        return account_of(found)

    return routes
