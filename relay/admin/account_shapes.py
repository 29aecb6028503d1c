"""Accounts as the API shows them to those who look after them, and what they are told when they change one.

Law: what names a person (its owner) is told only behind the token; nothing here has room for a secret.
"""

from typing import Annotated, Any

from pydantic import BaseModel, Field, SecretStr, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from relay.admin.shapes import Account, Moment
from relay.core.shown import AccountHealth
from relay.core.tested import Finding

Day = Annotated[str, WithJsonSchema({"type": "string", "description": "YYYY-MM-DD."})]


class Owner(BaseModel):
    """Who can mend the account's mailbox, as the routing names him."""

    name: str
    email: str
    phone: str


class Paused(BaseModel):
    """That an admin keeps the account's mail back."""

    since: Moment
    why: str = Field(description="In his words.")


class ListedAccount(Account):
    """An account in a list."""

    owner: Owner | None = Field(description="null: the routing names none.")
    retires: Day | None = Field(description="The last day on which it works.")
    paid_until: Day | None
    paused: Paused | None = Field(description="null: no admin has paused it.")
    last_sent_at: Moment | None = Field(
        description="When it handed in its last message; null: not in the history of 90 days, or not asked for (sent)."
    )
    sent_7d: int | None = Field(description="Messages of the last 7 days; null: not asked for (sent).")
    sent_30d: int | None = Field(description="Messages of the last 30 days; null: not asked for (sent).")


class ListedAccounts(BaseModel):
    """A page of accounts, by sender."""

    items: list[ListedAccount]
    next_cursor: str | None = Field(description="Ask with cursor= this for the next page; null: this was the last.")


class Replaced(BaseModel):
    """An old address that is still taken, and rewritten."""

    address: str
    until: Day


class Said(BaseModel):
    """What the provider answered."""

    at: Moment
    stage: str
    class_: str = Field(serialization_alias="class")
    reply: str = Field(description="Masked.")


class HealthChange(BaseModel):
    """What the mailbox became."""

    at: Moment
    health: AccountHealth
    reason: str | None = Field(description="The reply class, or the fault.")
    cause: str = Field(description="The event that made it so.")
    reply: str | None = Field(description="What the provider had said, masked.")
    by: str | None = Field(description="Who said so, where a person did.")


class LoginWait(BaseModel):
    """A budget of logins that is used up."""

    budget: str = Field(description="refused-logins (health.refused_logins) or login (the provider's login_limit).")
    limit: str = Field(description="As it is written, as 3/h.")
    until: Moment = Field(description="No login of its mailbox is tried before, but with a new password.")


class Step(BaseModel):
    """What the owner of a mailbox does at this very provider."""

    reason: str = Field(description="What went wrong, as auth-method.")
    text: str = Field(description="In the language of relay.yaml.")


class AccountDetail(ListedAccount):
    """An account with all that is known of it."""

    aliases: list[str]
    replaces: list[Replaced]
    kept_here: bool = Field(
        description="The relay keeps what its mailbox logs in with (`secret:`): .../password sets another."
    )
    without: str | None = Field(description="Why its mailbox has nothing to log in with; null: it has.")
    contact: str = Field(description="Whom a doctor calls, as relay.yaml says; empty: it does not.")
    steps: list[Step] = Field(description="Of its provider, by reason; empty: the relay has no profile of it.")
    last_reply: Said | None = Field(description="To the last mail that it answered; null: there was none.")
    login_wait: LoginWait | None = Field(description="null: its mailbox may log in, or has a session.")
    tried_at: Moment | None = Field(
        description="When its mailbox, or its provider by it, is tried next; null: neither is stopped, or nobody can "
        "foresee it."
    )
    history: list[HealthChange] = Field(description="What its mailbox became, the newest first; the last fifty.")


class Order(BaseModel):
    """What is said in a body; a key that is none is refused and not given back: it may be a secret gone astray."""

    @model_validator(mode="before")
    @classmethod
    def _nothing_else(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.keys() - cls.model_fields.keys():
            allowed = ", ".join(cls.model_fields)
            raise PydanticCustomError(
                "unknown", "it has a key that is none; there are {allowed}", {"allowed": allowed, "parameter": "body"}
            )
        return given


class Pause(Order):
    """Why an account is paused."""

    why: str = Field("", max_length=1000, description="For colleagues; it is shown with the account.")


class NewSecret(Order):
    """What the mailbox logs in with: one of the two."""

    password: SecretStr | None = None
    refresh_token: SecretStr | None = Field(None, description="Where the provider wants OAuth2.")


class Done(BaseModel):
    """What was done."""

    sender: str
    changed: bool = Field(description="false: it was so already.")
    text: str = Field(description="In one sentence.")


class TestResult(BaseModel):
    """What came of trying the mailbox."""

    sender: str
    ok: bool = Field(description="Nothing is wrong, as far as was seen.")
    finding: Finding
    reason: str | None = Field(
        description="A reply class, a fault, or what kept it from being tried (limit, login, session, testing, ...)."
    )
    stage: str | None = Field(description="Where it ended: connect, ehlo, starttls, auth, mail, rcpt; null: not tried.")
    reply: str | None = Field(description="What the provider said last, masked.")
    until: Moment | None = Field(description="When it can be tried, where that is known.")
    text: str = Field(description="What is right or wrong and what to do, in one sentence.")


class SecretKept(Done):
    """A password that was set."""

    test: TestResult | None = Field(description="null: it was not known in time whether it works.")
