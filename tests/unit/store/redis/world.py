"""A random world on both sides: mail in every state, attempts and logins that ended or did not, and what is told.

Law: the same seed makes the same world; what is drawn is small, so that things meet: few mailboxes, instants, words.
"""

from random import Random
from typing import Any

from tests.unit.store.redis.side import Sides

STEP = 20_000_000
"""Three to a minute: ends are counted by the minute."""

MAILBOXES = ({"id": 1, "provider": "p", "username": "b@p"}, {"id": 2, "provider": "p", "username": "a@p"},
             {"id": 3, "provider": "q", "username": "a@p"}, {"id": 4, "provider": "p", "username": "ü@p"})  # fmt: skip
ACCOUNTS = (1, 2)
CLASSES = ("delivered", "delivered", "network", "network", "outage", "in-doubt", "lost", "account-blocked",
           "spam-blocked", "spam-blocked", "policy-refused", "policy-refused")  # fmt: skip
LOGIN_CLASSES = (
    None,
    None,
    None,
    "auth-rejected",
    "unknown",
    "auth-outage",
    "auth-outage",
    "network",
    "account-blocked",
)
LIKENESSES = (None, b"\x00" * 8, b"\xff\xfe" * 4)
RECIPIENTS = (b"\x01" * 16, b"\xff" * 16, b"anna----anna----")
REASONS = (None, "quota", "bounce-guard", "timeout")
NODES = ("node-1", "node-2")


class World(Sides):
    """A world made by chance; some of it is what the operation at hand wrote."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = Random(seed)
        self.put("mailboxes", *MAILBOXES)
        self.put("accounts", *({"id": each, "sender": f"{each}@x"} for each in ACCOUNTS))
        self._write_mail()
        self._write_attempts()
        self._write_logins()
        self._write_words()

    # what is drawn

    def pick(self, *among: Any) -> Any:
        return self.random.choice(among)

    def instant(self) -> int:
        return self.random.randrange(13) * STEP + self.random.randrange(2)

    def early(self) -> int:
        """An instant since which something happened."""
        return int(self.instant() // self.pick(1, 4, 8))

    def mailbox_number(self) -> int:
        """Mostly one of the first two; the last is none."""
        return int(self.pick(1, 1, 1, 1, 2, 2, 3, 4, 5))

    def delivery(self) -> int:
        return self.random.randrange(1, self.next_delivery + 1)

    def attempt_under_way(self) -> int:
        """Of a delivery or a trial; rarely one that is over."""
        found = [number for (number,) in self.sqlite.read("SELECT attempt FROM claims ORDER BY attempt")]
        return int(self.pick(*found, self.next_attempt))

    def number_attempt(self) -> int:
        """The number of an attempt that begins."""
        number = self.next_attempt = self.ledger.next_number("attempts")
        return number

    def message(self) -> str:
        return f"m{self.delivery()}"

    def some(self, table: str, *rows: dict[str, Any]) -> None:
        """Rows of which the operation at hand wrote some."""
        for row in rows:
            write = self.own if self.random.random() < 0.3 else self.put
            write(table, row)

    # what is there

    def _write_mail(self) -> None:
        self.next_delivery = 1
        for _ in range(self.random.randrange(1, 7)):
            seq, many = self.next_delivery, self.random.randrange(1, 4)
            self.next_delivery += many
            account = self.pick(*ACCOUNTS)
            self.some("messages", self.new_message(seq, account, many))
            for each in range(seq, seq + many):
                self.put("deliveries", self.new_delivery(each, seq, account))
                if self.random.random() < 0.2:
                    self.own("deliveries", self.new_delivery(each, seq, account))

    def new_message(self, seq: int, account: int, many: int) -> dict[str, Any]:
        """A message of so many recipients."""
        return {
            "seq": seq, "id": f"m{seq}", "client": "doctor", "account": account, "kind": self.random.randrange(3),
            "accepted_at": self.instant(), "size": 10, "recipients": many, "segment": 0, "offset": 0, "length": 9,
            "message_id_hash": b"\xff" * 16, "submitted_hash": b"\x00" * 16, "is_dated": self.random.randrange(2),
        }  # fmt: skip

    def new_delivery(self, number: int, seq: int, account: int) -> dict[str, Any]:
        """A delivery in any state; half of them are ready."""
        state = self.pick(0, 0, 0, 1, 2, 3, 4)
        return {
            "id": number, "message": seq, "account": account, "lane": self.random.randrange(2), "state": state,
            "due": self.pick(0, self.instant()) if state == 0 else 0, "expires_at": self.instant() + STEP,
            "tries": self.random.randrange(3), "doubts": 0, "reason": self.pick(*REASONS), "reply": None,
            "since": self.instant(), "domain": self.pick(b"\xfe1", b"\xfe2"), "recipient_hash": self.pick(*RECIPIENTS),
            "envelope": None if state > 1 else b"\xffsealed",
        }  # fmt: skip

    def _write_attempts(self) -> None:
        self.next_attempt = 0
        for _ in range(self.random.randrange(4, 30)):
            self.number_attempt()
            if self.random.random() < 0.9:
                self.some("attempts", self.new_attempt(self.next_attempt))
        for _ in range(self.random.randrange(7)):
            self.some("claims", self.new_claim(self.number_attempt()))

    def new_attempt(self, number: int) -> dict[str, Any]:
        """An attempt that ended."""
        started, ended = sorted((self.instant(), self.instant()))
        return {
            "id": number, "delivery": self.pick(0, self.delivery(), self.delivery()),
            "mailbox": self.pick(1, 1, 1, 2, 3, 4), "node": self.pick(*NODES), "started_at": started,
            "gated_at": self.pick(None, started), "ended_at": ended, "counted": self.pick(0, 1, 1, 1),
            "stage": self.pick("eod", "eod", "rcpt"), "class": self.pick(*CLASSES),
            "reply": self.pick(None, "550 5.1.1 é"), "likeness": self.pick(*LIKENESSES),
            "said": self.pick(None, b"\xffsaid"),
        }  # fmt: skip

    def new_claim(self, number: int) -> dict[str, Any]:
        """An attempt under way, held or lost, or a trial."""
        started = self.instant()
        return {
            "attempt": number, "delivery": self.pick(0, self.delivery(), self.delivery(), self.delivery()),
            "mailbox": self.pick(1, 2, 3), "node": self.pick(*NODES), "started_at": started,
            "gated_at": self.pick(None, started), "is_probe": self.pick(0, 1),
            "lapsed_at": self.pick(None, None, started), "is_lost": self.pick(0, 0, 1),
        }  # fmt: skip

    def _write_logins(self) -> None:
        for order in range(1, self.random.randrange(2, 24)):
            is_over = self.random.random() < 0.7
            row = {"id": order, "mailbox": self.pick(1, 1, 1, 2, 3, 4), "started_at": order * STEP, "ended_at": None,
                   "class": None, "likeness": None, "refused": 0}  # fmt: skip
            if not is_over or self.random.random() < 0.3:
                self.put("logins", row)
            if is_over:
                met = self.pick(*LOGIN_CLASSES)
                row |= {"ended_at": order * STEP + self.instant(), "class": met, "likeness": self.pick(*LIKENESSES)}
                row["refused"] = 0 if met is None else self.pick(0, 1)
                write = self.own if self.sqlite.read("SELECT 1 FROM logins WHERE id = ?", (order,)) else self.put
                write("logins", row)

    def _write_words(self) -> None:
        for number in range(1, self.random.randrange(1, 8)):
            kind, closed = self.pick("block", "bounce-guard"), self.pick(None, self.instant())
            mailbox = None if kind == "block" else self.pick(1, 2, 3)
            about = self.pick("p", "q") if kind == "block" else str(mailbox)
            is_open = "SELECT 1 FROM concerns WHERE kind = ? AND about = ? AND closed_at IS NULL"
            if closed is None and self.sqlite.read(is_open, (kind, about)):
                closed = self.instant()
            self.some("concerns", {
                "id": number, "kind": kind, "about": about, "provider": "p", "mailbox": mailbox,
                "opened_at": self.instant(), "closed_at": closed, "words": 0,
                "detail": self.pick("{}", '{"likeness": "00ff"}', '{"likeness": null}'),
            })  # fmt: skip
            self.some("healths", {
                "id": number, "at": self.instant(), "provider": self.pick("p", "q"), "mailbox": self.pick(None, 1, 2),
                "state": "ok", "reason": self.pick(*REASONS), "cause": "x", "slow": 0,
            })  # fmt: skip
            self.some("riddles", {
                "provider": self.pick("p", "q"), "stage": self.pick("eod", "rcpt"), "code": 550,
                "text": f"{self.pick('a', 'aa', 'é')}{number}", "many": 1, "first_at": 1,
                "last_at": self.random.randrange(3),
            })  # fmt: skip
        for delivery, message in self.sqlite.read("SELECT id, message FROM deliveries WHERE state = 3 OR id % 3 = 0"):
            self.some("outbox", {
                "id": 99 - delivery, "kind": self.pick("bounce", "bounce", "bounce", "relayed"), "message": message,
                "delivery": delivery, "reason": "x", "at": 1, "envelope": b"\xffe", "report": self.pick(None, 2),
                "lost": 0,
            })  # fmt: skip
        self.some("nodes", *({"name": name, "lease_until": self.instant()} for name in NODES))
