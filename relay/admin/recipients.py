"""The route of the report on recipients that get many mails a day.

Law: a recipient is a hash and a domain.
"""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from relay.admin.asking import in_time
from relay.admin.queries import RecipientFilter
from relay.admin.shapes import Recipient
from relay.store.ports.recipients import BusyRecipient, RecipientReport


class BusyOne(BaseModel):
    """A recipient that got many mails of an account on a day."""

    account: str
    recipient: Recipient
    day: str = Field(description="YYYY-MM-DD, in the time zone of the account's provider.")
    messages: int


class BusyOnes(BaseModel):
    """Who gets many mails; the newest day and the most mails first."""

    items: list[BusyOne]
    next_cursor: str | None = Field(description="Always null: the list has one page.")


def recipient_routes(report: RecipientReport) -> APIRouter:
    """The report."""
    routes = APIRouter(prefix="/api/v1", tags=["recipients"])

    @routes.get("/recipients", summary="List recipients that get many mails a day")
    async def recipients(asked: Annotated[RecipientFilter, Query()]) -> BusyOnes:
        """Today and yesterday, from 10 mails a day on; from 50 on the vendor is told, once a day of each."""
        found = await in_time(report.busiest(account=asked.account, least=asked.least, most=asked.limit))
        return BusyOnes(items=[_shown(each) for each in found], next_cursor=None)

    return routes


def _shown(found: BusyRecipient) -> BusyOne:
    recipient = Recipient(hash=found.recipient_hash, domain=found.recipient_domain)
    return BusyOne(account=found.account, recipient=recipient, day=found.day.isoformat(), messages=found.many)
