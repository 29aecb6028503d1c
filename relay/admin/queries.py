"""What may be asked of the lists, as models, so that each parameter is checked and described in one place.

Law: a parameter that is not known or not understood is refused with what is allowed; none is silently left out,
because an answer to another question than the one that was asked misleads whoever reads it.
"""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from relay.core.shown import AccountHealth, DeliveryState
from relay.core.words import Plan
from relay.store.ports.reading import PAGE, PAGE_MOST, AccountQuery, MessageQuery

LONGEST: int = 1000
"""Characters of a value: a Message-ID is a line of a header at most (RFC 5322, 2.1.1)."""


def without_blanks(value: Any) -> Any:
    """`state=` asks for nothing in particular, as if it had been left out."""
    if isinstance(value, list):
        return [each for each in value if each != ""]
    return None if value == "" else value


def _or_page(value: Any) -> Any:
    return PAGE if value == "" else value


Text = Annotated[str | None, Field(max_length=LONGEST), BeforeValidator(without_blanks)]
Limit = Annotated[int, Field(ge=1, le=PAGE_MOST, description="Items on a page."), BeforeValidator(_or_page)]


class _Nothing(BaseModel):
    @model_validator(mode="before")
    @classmethod
    def _nothing_else(cls, given: Any) -> Any:
        unknown = given.keys() - cls.model_fields.keys() if isinstance(given, dict) else ()
        if unknown:
            allowed = f"there are {', '.join(cls.model_fields)}" if cls.model_fields else "there is none"
            raise PydanticCustomError("unknown", "not a parameter of this path; {allowed}", {
                "allowed": allowed, "parameter": min(unknown),
            })  # fmt: skip
        return given


class NoFilter(_Nothing):
    """What takes no parameter says so to whoever sends one."""


class _Filter(_Nothing):
    limit: Limit = PAGE
    cursor: Annotated[Text, Field(description="`next_cursor` of the page before; none: the first page.")] = None


class PageFilter(_Filter):
    """Which page."""


class RecipientFilter(_Nothing):
    """Which recipients that get many mails a day."""

    account: Annotated[Text, Field(description="One of its addresses, whatever its case.")] = None
    least: Annotated[
        int, Field(ge=1, le=1_000_000, description="From so many mails a day on; less than 10 are never listed.")
    ] = 10
    limit: Limit = PAGE


class MessageFilter(_Filter):
    """Which messages; every part that is given must hold."""

    state: Annotated[
        list[DeliveryState],
        Field(description="Of which a delivery is in one of these states; may be given several times."),
        BeforeValidator(without_blanks),
    ] = []
    account: Annotated[Text, Field(description="The sender, whatever its case.")] = None
    message_id: Annotated[Text, Field(description="The header field Message-ID, as the sender knows it.")] = None

    def query(self) -> MessageQuery:
        """As the store is asked."""
        return MessageQuery(
            states=frozenset(map(str, self.state)),
            account=None if self.account is None else self.account.lower(),
            message_id=self.message_id,
            limit=self.limit,
            cursor=self.cursor,
        )


class AccountFilter(_Filter):
    """Which accounts; every part that is given must hold."""

    health: Annotated[AccountHealth | None, BeforeValidator(without_blanks)] = None
    plan: Annotated[Plan | None, BeforeValidator(without_blanks)] = None
    queued: Annotated[
        bool | None, Field(description="true: only those with mail in the queue."), BeforeValidator(without_blanks)
    ] = None
    sent: Annotated[
        bool | None,
        Field(description="true: also how much each hands in; so it is by itself with plan=legacy."),
        BeforeValidator(without_blanks),
    ] = None

    def query(self) -> AccountQuery:
        """As the store is asked."""
        return AccountQuery(
            health=None if self.health is None else str(self.health),
            plan=self.plan,
            has_queued=bool(self.queued),
            with_sent=self.plan is Plan.LEGACY if self.sent is None else self.sent,
            limit=self.limit,
            cursor=self.cursor,
        )
