"""The pages of the call centre, in Italian: one a provider, made from its profile.

Law: nothing is said of a provider here that its profile does not say.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from relay.core.causes import CAUSES
from relay.core.failuretext import Language
from relay.core.limits import HOUR, MINUTE
from relay.core.meaning import ReplyClass
from relay.providers import Profile, load_profiles, next_steps
from relay.providers.reading import duration

FOLDER = "docs/providers"
TITLES: Mapping[ReplyClass, str] = {
    ReplyClass.AUTH_REJECTED: "La password è rifiutata",
    ReplyClass.AUTH_METHOD: "Il gestore non accetta questo modo di accedere",
    ReplyClass.ACCOUNT_BLOCKED: "Il gestore ha bloccato la casella",
    ReplyClass.SENDER_REFUSED: "Il mittente non è ammesso",
    ReplyClass.SENDER_MAILBOX_FULL: "La casella del medico è piena",
    ReplyClass.QUOTA_EXCEEDED: "Raggiunto il limite di un giorno",
    ReplyClass.RATE_LIMITED: "Il gestore chiede di rallentare",
    ReplyClass.SPAM_BLOCKED: "Il messaggio è stato preso per spam",
    ReplyClass.CONTENT_REFUSED: "Un allegato non è ammesso",
    ReplyClass.POLICY_REFUSED: "Una regola del dominio lo vieta",
    ReplyClass.IP_BLOCKED: "Il gestore rifiuta l'indirizzo del sistema",
    ReplyClass.OUTAGE: "Il gestore ha un guasto",
}
"""The troubles that somebody phones about, the most frequent first."""

SENDERS: Mapping[str, str] = {
    "own-address-only": "solo l'indirizzo della casella",
    "authorised-aliases": "l'indirizzo della casella, e altri solo se autorizzati presso il gestore",
    "rewrites": "un altro mittente viene sostituito, senza avviso, con l'indirizzo della casella",
    "own-domains": "solo indirizzi dei domini",
    "unknown": "non si sa; conviene usare l'indirizzo della casella",
}
SIGNING_IN = "[l'accesso con Microsoft](../accounts.md#signing-in-with-microsoft-outlook-hotmail-microsoft-365)"
LINGER = "per {minutes} minuti il sistema conta l'invio come ancora in corso (non pubblicato: RFC 5321, 4.5.3.2.7)"
OF_THE_LOGIN = "solo indirizzi del dominio delle credenziali"
NULL: Mapping[bool, str] = {
    True: "passa com'è; non si sa di rifiuti",
    False: "al suo posto il sistema usa l'indirizzo dell'account, perché il gestore accetta solo mittenti propri",
}
OAUTH = "accesso autorizzato dal titolare (OAuth2), nessuna password"
PASSWORDS: Mapping[str, str] = {
    "mailbox-password": "nome utente e password della casella",
    "app-password": "nome utente e password per le app; la password normale non funziona",
    "smtp-credentials": "credenziali SMTP proprie, non la password della casella",
}
NEW_SECRET = frozenset({ReplyClass.AUTH_REJECTED, ReplyClass.AUTH_METHOD})
"""Ended by a new password or a new sign-in."""

MENDED = frozenset({ReplyClass.ACCOUNT_BLOCKED, ReplyClass.SENDER_REFUSED, ReplyClass.SENDER_MAILBOX_FULL})
"""Ended at the provider, which the relay cannot see."""

FIELD_NOTES: Mapping[str, str] = {
    "field notes on providers, from help pages, Thunderbird's autoconfig database, Nodemailer's list and public logs": (
        "appunti sui gestori, da pagine di aiuto, dall'archivio di configurazioni di Thunderbird, dall'elenco di "
        "Nodemailer e da log pubblici"
    ),
    "Thunderbird's autoconfig database, tiscali.it": "archivio di configurazioni di Thunderbird, tiscali.it",
    "nodemailer-outlook, issue 11": "nodemailer-outlook, segnalazione 11",
    "turbolab.it, mail refused by libero": "turbolab.it, posta rifiutata da libero",
    "public logs": "log pubblici",
}
"""Where a fact is from, where it is no address."""

TLS: Mapping[str, str] = {"implicit": "SSL/TLS", "starttls": "STARTTLS"}


def provider_pages() -> dict[str, Callable[[], str]]:
    """Path and maker of every page, and of their index."""
    profiles = load_profiles()
    pages: dict[str, Callable[[], str]] = {f"{FOLDER}/README.md": lambda: "\n".join(_index(profiles)) + "\n"}
    for name, profile in profiles.items():
        pages[f"{FOLDER}/{name}.md"] = lambda shown=profile: "\n".join(_page(shown)) + "\n"  # type: ignore[misc]
    return pages


def _index(profiles: Mapping[str, Profile]) -> Iterator[str]:
    yield "# I gestori di posta, per il call centre"
    yield ""
    yield "Una pagina per gestore: che cosa vede il medico, che cosa dirgli, che cosa deve fare. Sono generate dai"
    yield "profili in `relay/providers/profiles` con `make docs`. Le classi tra parentesi sono quelle che mostra il"
    yield "sistema; che cosa significano è in [Reply classes](../replies.md)."
    yield ""
    yield "| gestore | caselle | accesso |"
    yield "|---|---|---|"
    for name, profile in sorted(profiles.items(), key=lambda each: each[1].title.lower()):
        domains = ", ".join(profile.domains) or "dominio proprio"
        yield f"| [{profile.title}]({name}.md) | {domains} | {_login(profile)} |"


def _page(profile: Profile) -> Iterator[str]:
    yield f"# {profile.title}"
    yield ""
    yield f"Pagina generata da `make docs` dal profilo `{profile.name}`. [Tutti i gestori](README.md)"
    yield ""
    yield profile.about["it"]
    yield ""
    yield from _facts(profile)
    yield ""
    yield "## Che cosa vede il medico, e che cosa dirgli"
    for reply_class, title in TITLES.items():
        yield ""
        yield from _trouble(profile, reply_class, title)
    yield ""
    yield "## Fonti"
    for fact in profile.sources:
        yield f"- {fact.it}: {FIELD_NOTES.get(fact.where, fact.where)} ({fact.date})"
    yield ""
    yield from _commands(profile)


def _commands(profile: Profile) -> Iterator[str]:
    yield "## Che cosa digita poi il call centre"
    yield "`INDIRIZZO` è un qualunque indirizzo con cui l'account invia. Quando la casella funziona di nuovo, la posta"
    yield "in attesa parte da sola."
    yield ""
    yield "| quando | comando |"
    yield "|---|---|"
    if _is_oauth(profile):
        yield f"| il titolare ha rifatto l'accesso; il comando chiede il refresh token | `{_new_secret(profile)}` |"
        if "microsoftonline" in profile.oauth.get("token_url", ""):
            yield f"| come si ottiene il refresh token (un comando che lo fa deve ancora venire) | {SIGNING_IN} |"
    else:
        yield f"| il titolare ha dato una nuova password; il comando la chiede e la prova | `{_new_secret(profile)}` |"
    yield "| il problema è risolto presso il gestore, senza una nuova password | `relay account fixed INDIRIZZO` |"
    yield "| per vedere se la casella funziona | `relay account test INDIRIZZO` |"


def _is_oauth(profile: Profile) -> bool:
    return bool(profile.settings.get("auth") == "oauth2")


def _login(profile: Profile) -> str:
    return OAUTH if _is_oauth(profile) else PASSWORDS[profile.login]


def _new_secret(profile: Profile) -> str:
    return "relay account set-password INDIRIZZO" + (" --oauth" if _is_oauth(profile) else "")


def _spelt(limit: str) -> str:
    """A limit as a call centre reads it: `150/20m` as 150 in 20 minutes."""
    number, _, span = limit.partition("/")
    many = f"{int(number):,}".replace(",", ".")
    if span == "calendar-day":
        return f"{many} in un giorno solare"
    found = re.fullmatch(r"(\d*)([smhd])", span)
    assert found is not None, f"profiles write limits briefly: {limit}"
    one, several = _SPANS[found[2]]
    return f"{many} {one}" if found[1] in ("", "1") else f"{many} in {found[1]} {several}"


_SPANS: Mapping[str, tuple[str, str]] = {
    "s": ("al secondo", "secondi"),
    "m": ("al minuto", "minuti"),
    "h": ("all'ora", "ore"),
    "d": ("al giorno", "giorni"),
}


def _sender(profile: Profile) -> str:
    said = SENDERS[profile.sender.rule]
    if profile.sender.rule != "own-domains":
        return said
    return f"{said} {', '.join(profile.sender.domains)}" if profile.sender.domains else OF_THE_LOGIN


def _facts(profile: Profile) -> Iterator[str]:
    settings = profile.settings
    rows = {
        "caselle": ", ".join(profile.domains) or "dominio proprio; il gestore va indicato nell'account",
        "server": f"{settings.get('host', 'secondo il contratto')}, porta {settings['port']}, {TLS[settings['tls']]}",
        "accesso": _login(profile),
        "mittente": _sender(profile),
        "mittente vuoto (`MAIL FROM:<>`)": NULL[profile.sender.takes_null],
        "messaggio più grande": profile.size or "non pubblicato",
        "destinatari per messaggio": profile.recipients or "non pubblicato (il sistema ne invia uno per volta)",
        "limiti iniziali": ", ".join(map(_spelt, settings.get("limits", ()))) or "secondo il contratto",
        "messaggi per accesso": f"{settings.get('session', {}).get('messages', 100)} (non pubblicato: scelta prudente)",
        "dopo una connessione persa": LINGER.format(minutes=duration(settings["linger"]) // MINUTE),
        "riserva per gli altri dispositivi": settings.get("reserve", "nessuna"),
    }
    if profile.is_counted_by_domain:
        rows["limite di tutte le caselle del dominio"] = ", ".join(map(_spelt, settings["total_limits"]))
    yield "| | |"
    yield "|---|---|"
    for name, value in rows.items():
        yield f"| {name} | {value} |"


def _trouble(profile: Profile, reply_class: ReplyClass, title: str) -> Iterator[str]:
    yield f"### {title} (`{reply_class}`)"
    cause = CAUSES.get(reply_class)
    if cause is not None:
        yield f"- Il medico legge: {cause.why[Language.ITALIAN]}"
    steps = next_steps(profile, reply_class)
    if steps is not None:
        yield f"- Che cosa fare: {steps['it']}"
    if reply_class in NEW_SECRET:
        yield f"- Poi il call centre: `{_new_secret(profile)}`"
    elif reply_class in MENDED:
        yield "- Poi il call centre: `relay account fixed INDIRIZZO`"
    block = profile.blocks.get(reply_class)
    if block is not None:
        yield f"- Quanto dura: {block // HOUR} ore, poi il sistema riprova da solo."
