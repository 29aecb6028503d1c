"""What of the service runs, however far its start came, and whom of it the news of the store wake.

Law: news for who does not run yet wake nobody: each looks for itself when it begins.
"""

from dataclasses import dataclass, field
from socket import socket

from relay.admin import AdminServer
from relay.app.announcing import Announcer
from relay.app.certificates import CertificateKeeper
from relay.app.routing import RoutingKeeper
from relay.app.storage import Storage
from relay.delivery.dispatcher import Dispatcher
from relay.delivery.oauth import OAuthTokens
from relay.delivery.tester import Tester
from relay.notify import OutboxPump
from relay.notify.noticepump import NoticePump
from relay.store.outcomes import OutcomeJournal
from relay.submission import SubmissionServer


@dataclass(slots=True)
class Running:
    """What runs so far: a stop takes what is there."""

    storage: Storage | None = None
    certificates: CertificateKeeper | None = None
    submission: SubmissionServer | None = None
    dispatcher: Dispatcher | None = None
    tester: Tester | None = None
    tokens: OAuthTokens | None = None
    pump: OutboxPump | None = None
    notices: NoticePump | None = None
    admin: AdminServer | None = None
    outcomes: OutcomeJournal | None = None
    announcer: Announcer | None = None
    keeper: RoutingKeeper | None = None
    sockets: list[socket] = field(default_factory=list)
    is_draining: bool = False
    is_stopped: bool = False
    """All that it had under way has ended; what is left is to close."""

    def wake_pump(self) -> None:
        """Something is owed: a report."""
        if self.pump is not None:
            self.pump.wake()

    def look_again(self) -> None:
        """A way for reports or notices is there that was not, or is gone."""
        if self.pump is not None:
            self.pump.look_again()
        self.wake_notices()

    def wake_notices(self) -> None:
        """Somebody has to be told of something."""
        if self.notices is not None:
            self.notices.wake()

    def rerouted(self) -> None:
        """Another routing is in force."""
        if self.keeper is not None:
            self.keeper.wake()
        if self.notices is not None:
            self.notices.rerouted()
