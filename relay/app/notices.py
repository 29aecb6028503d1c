"""What tells people, made from the configuration: the heartbeat, reports of what
became of mail, and notices with their sender and pump.

Law: what cannot be told is said in readiness, and takes no node out of service.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from relay import __version__
from relay.app import settings
from relay.app.hookkeys import HookKeys
from relay.app.machine import RunIn, randomness
from relay.app.means import Means
from relay.app.noticewatch import NoticeWatch
from relay.app.observation import NoticeObserver
from relay.app.routing import RoutingKeeper
from relay.app.sheets import Sheets
from relay.app.terms import TermsWatch
from relay.core.announcing import ids_of
from relay.core.concerns import Concern
from relay.core.failuretext import Language
from relay.core.limits import HOUR, SECOND
from relay.core.weburl import parse_web_url
from relay.delivery.resolver import ExecutorResolver
from relay.errors import RelayError
from relay.notify import Heartbeat, NoticeSender, OutboxPump, WebClient, WebSettings
from relay.notify.letter import LetterSettings
from relay.notify.noticedesk import NoticeDesk
from relay.notify.noticepump import NoticePump
from relay.providers import load_profiles
from relay.store.ports import Store
from relay.store.ports.notices import DeadLetter, Hearing, Notices

HEARTBEAT = "heartbeat"
"""What readiness and log call a heartbeat that nobody hears."""

LOOKUPS: int = 2
"""Threads that look up the hosts of webhooks: one that hangs leaves the other's alone."""

_FRACTION: int = 6
"""Octets of chance in a number from 0 to 1."""


class Board:
    """What the pump of notices knows, for people; what they have sent once more goes at once."""

    def __init__(self, notices: Notices, wake: Callable[[], None]) -> None:
        self._notices = notices
        self._wake = wake

    async def concerns(self, most: int, before: int | None = None) -> Sequence[Concern]:
        """Everything that is open."""
        return await self._notices.concerns(most, before)

    async def hearings(self, concerns: Sequence[Concern]) -> Mapping[int, Hearing]:
        """Whether somebody heard of each, by its id."""
        return await self._notices.hearings({each.id: ids_of(each) for each in concerns})

    async def waiting(self) -> int:
        """How many notices wait for the webhook."""
        oldest = await self._notices.unposted()
        return 0 if oldest is None else oldest.many

    async def dead_letters(self, most: int, before: int | None = None) -> Sequence[DeadLetter]:
        """What the webhook never took."""
        return await self._notices.dead_letters(most, before)

    async def revive(self, telling: int, /) -> bool:
        """Sends it once more; False: it was not given up."""
        is_revived = await self._notices.revive(telling)
        self._wake()
        return is_revived


def web_client(means: Means) -> WebClient:
    """Asks what `notices:` names."""
    lookups = means.threads.pool("lookup-webhooks", LOOKUPS)
    resolver = ExecutorResolver(lambda _webhooks: lookups)
    own = WebSettings(f"clinic-relay/{__version__}", is_private_allowed=means.config.notices.allow_private)
    return WebClient(own, resolve=lambda host: resolver("webhooks", host), wall=means.clock.wall)


def heartbeat(means: Means, client: WebClient, look: Callable[[], Awaitable[None]]) -> Heartbeat | None:
    """Beats while this node is ready; `look` brings the readiness up to date. None: nobody listens."""
    address = means.config.notices.heartbeat_webhook
    if address is None:
        return None

    async def is_ready() -> bool:
        try:
            await look()
        except (RelayError, OSError):
            return False  # a node that cannot even look at itself lets the alarm ring
        return means.readiness.is_ready

    def tell(trouble: str | None) -> None:
        if trouble is None:
            if means.readiness.clear(HEARTBEAT):
                means.log.recovered_from(what=HEARTBEAT)
        elif means.readiness.set(HEARTBEAT, trouble):
            means.log.trouble(what=HEARTBEAT, text=trouble)

    return Heartbeat(parse_web_url(address), client, is_ready=is_ready, tell=tell)


def hook_keys(means: Means, keeper: RoutingKeeper) -> HookKeys | None:
    """What signs notices for `ops_webhook`; None: there is none."""
    notices = means.config.notices
    if notices.ops_webhook is None:
        return None
    keys = HookKeys(
        notices.ops_webhook_secret,
        means.resolve,
        run=RunIn(means.threads.pool("webhook-secret", 1)),
        readiness=means.readiness,
        clock=means.clock.monotonic,
    )
    keeper.on_change(keys.forget)
    return keys


def notice_sender(means: Means, client: WebClient, keys: HookKeys | None) -> NoticeSender | None:
    """Sends to `ops_webhook`; None: there is none."""
    notices = means.config.notices
    if notices.ops_webhook is None or keys is None:
        return None
    return NoticeSender(
        parse_web_url(notices.ops_webhook),
        client,
        keys=keys,
        wall=means.clock.wall,
        chance=lambda: int.from_bytes(randomness(_FRACTION)) / 256**_FRACTION,
    )


def outbox_pump(means: Means, store: Store, keeper: RoutingKeeper) -> OutboxPump:
    """Reports what failed."""
    return OutboxPump(
        store,
        store,
        settings.report_settings(means.config),
        routing=keeper.routing,
        randomness=randomness,
        log=means.log,
    )


def notice_pump(
    means: Means,
    store: Store,
    notices: Notices,
    *,
    keeper: RoutingKeeper,
    sender: NoticeSender | None,
    watch: NoticeWatch,
) -> NoticePump:
    """Tells whoever has to be told, by mail and by webhook; `watch` hears what has not gone out."""
    config = means.config
    sheets = Sheets(
        keeper.routing,
        load_profiles(),
        language=Language(config.language),
        contact=config.contact,
        kept_days=max(1, config.queue.hold_lifetime // (24 * HOUR)),
    )
    desk = NoticeDesk(
        LetterSettings(settings.hostname_of(config)),
        routing=keeper.routing,
        is_stopped=store.is_stopped,
        sheet_of=sheets,
        moment=lambda wall: datetime.fromtimestamp(wall // SECOND, settings.ZONE),
        show_untold=watch.untold,
        show_backlog=watch.backlog,
        observe=NoticeObserver(means.log, means.metrics),
        notices_from=config.notices.sender,
        postmaster=config.notices.postmaster,
    )
    return NoticePump(notices, store, desk, sender=sender, log=means.log)


def terms_watch(means: Means, notices: Notices, keeper: RoutingKeeper) -> TermsWatch:
    """Tells who pays for a mailbox that its term ends."""
    watch = TermsWatch(notices, keeper.routing, wall=means.clock.wall, log=means.log)
    keeper.on_change(watch.wake)
    return watch
