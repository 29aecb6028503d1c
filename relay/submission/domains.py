"""Whether a recipient's domain takes mail, by DNS: the only user of dnspython.

Law: only a clear no is a no; DNS that is slow, broken or too busy is a yes, and nobody waits for it longer than a look
may take.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver

LOOK_SECONDS: float = 2.0
"""How long a client waits for the answer: a doctor does not notice it, and a mail program's time-out is far."""

TRY_SECONDS: float = 0.6
"""How long one name server may take before the next is asked, of three within the same look."""

AT_ONCE: int = 32
"""Looks at once: a name server that hangs costs that many sockets; who comes beyond them is not looked at."""

KEPT_MOST: int = 10_000
"""Domains remembered: more than the patients of all practices use, and a few megabytes."""

FINE_SECONDS: tuple[float, float] = (60.0, 3600.0)
"""How long a domain that takes mail is remembered, at least and at most; between them its own TTL counts."""

MISSING_SECONDS: float = 300.0
"""The same of one that takes none: who has just registered it waits no longer."""

TROUBLE_SECONDS: float = 15.0
"""The same where DNS said nothing: a burst does not wait two seconds for each."""


class Standing(Enum):
    """What DNS says of a domain."""

    FINE = "fine"
    """It takes mail, or nobody could tell."""
    MISSING = "missing"
    """There is no such domain, or no host that takes its mail."""
    NULL_MX = "null-mx"
    """It says itself that it takes none (RFC 7505)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, and for how many seconds it may be believed."""

    standing: Standing
    seconds: float


Look = Callable[[str], Awaitable[Finding]]
"""Asks DNS for a domain."""


class Domains:
    """Remembers what DNS said; the same domain is looked at once, whoever asks meanwhile."""

    def __init__(self, look: Look, clock: Callable[[], float], *, within: float = LOOK_SECONDS) -> None:
        """`clock` counts seconds and is never set back."""
        self._look = look
        self._clock = clock
        self._within = within
        self._kept: dict[str, tuple[Standing, float]] = {}
        self._looks: dict[str, asyncio.Task[Standing]] = {}

    async def standing(self, domain: str) -> Standing:
        """What is known of a domain, or what DNS says of it in time."""
        name = domain.lower()
        kept = self._kept.get(name)
        if kept is not None and self._clock() < kept[1]:
            return kept[0]
        look = self._looks.get(name)
        if look is None:
            if len(self._looks) >= AT_ONCE:
                return Standing.FINE
            look = self._looks[name] = asyncio.get_running_loop().create_task(self._found(name))
        return await asyncio.shield(look)

    async def _found(self, name: str) -> Standing:
        try:
            async with asyncio.timeout(self._within):
                found = await self._look(name)
        except TimeoutError:
            found = Finding(Standing.FINE, TROUBLE_SECONDS)
        finally:
            del self._looks[name]
        self._keep(name, found)
        return found.standing

    def _keep(self, name: str, found: Finding) -> None:
        """What was looked at longest ago goes first."""
        self._kept.pop(name, None)
        self._kept[name] = found.standing, self._clock() + found.seconds
        if len(self._kept) > KEPT_MOST:
            del self._kept[next(iter(self._kept))]


class Dns:
    """Asks the name servers of the machine, or those named."""

    def __init__(self, nameservers: Sequence[tuple[str, int]] = ()) -> None:
        """`nameservers`: addresses and ports; none: what the system says. Nothing is asked yet."""
        self._resolver = _resolver(nameservers)

    async def __call__(self, domain: str) -> Finding:
        """MX, and where there is none the hosts of that name (RFC 5321, 5.1)."""
        if self._resolver is None:
            return Finding(Standing.FINE, TROUBLE_SECONDS)
        try:
            return await self._look(self._resolver, dns.name.from_text(domain, idna_codec=dns.name.IDNA_2008_Practical))
        except dns.resolver.NXDOMAIN:
            return Finding(Standing.MISSING, MISSING_SECONDS)
        except (dns.exception.DNSException, OSError, UnicodeError):
            return Finding(Standing.FINE, TROUBLE_SECONDS)

    async def _look(self, resolver: dns.asyncresolver.Resolver, name: dns.name.Name) -> Finding:
        answer = await _asked(resolver, name, dns.rdatatype.MX)
        if answer.rrset is not None:
            hosts = [record.exchange for record in answer]
            if all(host == dns.name.root for host in hosts):
                return Finding(Standing.NULL_MX, MISSING_SECONDS)
            return _fine(answer)
        for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
            answer = await _asked(resolver, name, kind)
            if answer.rrset is not None:
                return _fine(answer)
        return Finding(Standing.MISSING, MISSING_SECONDS)


async def _asked(
    resolver: dns.asyncresolver.Resolver, name: dns.name.Name, kind: dns.rdatatype.RdataType
) -> dns.resolver.Answer:
    return await resolver.resolve(name, kind, search=False, raise_on_no_answer=False, lifetime=LOOK_SECONDS)


def _fine(answer: dns.resolver.Answer) -> Finding:
    least, most = FINE_SECONDS
    ttl = least if answer.rrset is None else float(answer.rrset.ttl)
    return Finding(Standing.FINE, min(max(ttl, least), most))


def _resolver(nameservers: Sequence[tuple[str, int]]) -> dns.asyncresolver.Resolver | None:
    """None: the system names no server."""
    if not nameservers:
        try:
            found = dns.asyncresolver.Resolver()
        except dns.exception.DNSException:
            return None
        found.timeout = TRY_SECONDS
        return found
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.timeout = TRY_SECONDS
    resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in nameservers]
    return resolver
