"""Why something is not moving, who has to act and what they do, in sentences.

Law: people are named by their part (the doctor, an admin, ...), never by name or address; what has no sentence of its
own is named by the word that the relay uses for it, so that nothing is ever left unsaid.
"""

from collections.abc import Mapping
from types import MappingProxyType

WHY: Mapping[str, str] = MappingProxyType(
    {
        "limit": "the mailbox has sent as much as a limit allows for now",
        "login": "a session with the provider has to be opened first",
        "queue": "others of the same mailbox or provider are before it",
        "account-blocked": "the provider has blocked this mailbox or its contract",
        "auth-method": "the provider wants another way of logging in (an app password, OAuth2, a sign-in in a browser)",
        "auth-rejected": "the provider refuses user name or password of this mailbox",
        "auth-not-offered": "the provider offers no way of logging in at this host and port",
        "auth-outage": "the provider refuses many mailboxes that worked: it is out of order, and no password is wrong",
        "auth-temporary": "the provider cannot check the login at the moment",
        "bounce-guard": "the provider refuses several recipients in the same words, which are hardly about them",
        "content-refused": "the provider refuses the content (an attachment's type, a virus, an encrypted archive)",
        "clear-text": "`tls: none` would send it in clear to another machine, and it never goes out like that",
        "corrupt": "what is stored of it cannot be read any more",
        "expired": "it could not be delivered within its lifetime",
        "greylisted": "the provider takes a first mail to a recipient only at a later try",
        "in-doubt": "it was sent, and no answer came that says what became of it: it may have arrived",
        "ip-blocked": "the provider refuses connections from this machine's address",
        "lost": "the attempt before was cut short",
        "message-too-large": "it is larger than the provider takes",
        "network": "the connection with the provider fails or breaks off",
        "no-account": "no account of the routing has this sender any more",
        "no-token": "nobody has connected this mailbox with the provider yet (OAuth2)",
        "oauth-blocked": "the provider, or the rules of the owner's organisation, keep this user out (OAuth2)",
        "oauth-client": "the provider does not take the relay's OAuth2 client: id, secret or tenant is wrong or absent",
        "oauth-consent": "the owner's permission to send was revoked or has expired (OAuth2)",
        "oauth-password-changed": "the owner's password changed, and the permission to send ended with it (OAuth2)",
        "oauth-secret": "the secret that the routing names for the relay's OAuth2 client cannot be found",
        "oauth-sign-in": "the provider wants the owner to sign in with a browser again (OAuth2)",
        "oauth-unreachable": "the provider's authorization server does not answer, or not now (OAuth2)",
        "oauth-unread": "the provider's authorization server gives an answer that makes no sense (OAuth2)",
        "oauth-unsaved": "the store could not keep the refresh token that the provider renewed (OAuth2)",
        "no-credentials": "the password that the routing names for this account cannot be found",
        "no-node": "no node of the relay delivers: those that do are stopped, or are not heard of",
        "no-node-logs-in": "no node that runs has what this mailbox logs in with; one that had it may be stopped",
        "outage": "the provider is out of order",
        "paused-by-admin": "an admin keeps the mail of this account back",
        "policy-refused": "the provider refuses it for its policy (DMARC and the like)",
        "protocol-error": "the provider does not understand what it is told, or answers in a way that makes no sense",
        "quota-exceeded": "the provider says that the mailbox has used up its quota",
        "rate-limited": "the provider says that the mailbox sends too fast",
        "recipient-domain-bad": "the recipient's domain does not exist or takes no mail",
        "recipient-mailbox-full": "the recipient's mailbox is full",
        "recipient-refused": "the provider does not take mail for this recipient",
        "recipient-unknown": "there is no such recipient",
        "retired": "its last day is over: new mail of this sender is refused; what is queued still leaves",
        "sender-mailbox-full": "the sender's own mailbox is full",
        "sender-refused": "the provider does not let this mailbox send as this address",
        "spam-blocked": "the provider takes it for spam",
        "tls-ca-unreadable": "the file of `tls_ca` cannot be read",
        "tls-expired": "the provider's certificate has expired, and nothing goes out without a valid one",
        "tls-expected": "the provider's port wants TLS from the first byte, and `tls: starttls` waits for a greeting",
        "tls-failed": "encryption with the provider fails, and nothing goes out without",
        "tls-injected": "something wrote into the connection before it was encrypted",
        "tls-not-offered": "the provider does not offer STARTTLS; somebody in between may have taken it out",
        "tls-not-spoken": "what answers at this host and port does not speak TLS",
        "tls-not-yet-valid": "the provider's certificate is not valid yet",
        "tls-refused": "the provider refuses STARTTLS",
        "tls-required": "no verified encryption with the provider comes about, and it never goes out without",
        "tls-self-signed": "the provider's certificate is signed by itself",
        "tls-too-old": "the provider speaks nothing newer than TLS 1.1",
        "tls-untrusted": "the provider's certificate is signed by an authority that nobody here knows",
        "tls-wrong-name": "the provider's certificate is for another name",
        "too-many-connections": "the provider wants fewer connections",
        "too-many-recipients": "the provider says that the mailbox has too many recipients for now",
        "unusable-credentials": "user name or password hold a character that no login can carry (NUL or a line end)",
        "unknown": "the provider gave an answer that the relay has no rule for",
    }
)
"""By reason."""

REMEDY: Mapping[str, str] = MappingProxyType(
    {
        "account-blocked": "have the provider unblock the mailbox",
        "auth-method": "make an app password at the provider (or enable SMTP), and put it where `password:` points",
        "auth-not-offered": "check host and port of the provider; is it a port for logging in (465, 587) and not 25?",
        "auth-rejected": "put the right password where the routing's `password:` points; it is tried within seconds",
        "bounce-guard": "read its answer (relay explain), mend what it is about; then: relay account fixed {sender}",
        "clear-text": "set `tls` to starttls or implicit, or `plaintext: allow` if the network is to be trusted",
        "corrupt": "look at the disk and at the log; `relay queue check` says what is damaged",
        "in-doubt": "find out whether it arrived, and decide whether it is to be sent again",
        "ip-blocked": "have the provider unblock the address of this machine",
        "limit": "raise its limit, or send it another way: it will not leave before the end of its lifetime",
        "login": "raise the provider's `login_limit`, or send it another way",
        "too-many-connections": "find out who else holds sessions with this mailbox or from this address",
        "no-account": "put the account into the routing again; its mail goes on by itself",
        "no-token": "the owner signs in with the provider and permits the relay to send; put the refresh token where "
        "the routing's `password:` points",
        "oauth-blocked": "have the provider, or the organisation's admin, let this user in; then connect it again",
        "oauth-client": "mend `oauth:` of the provider in the routing; a client secret expires, and is made anew there",
        "oauth-consent": "sign in with the provider and permit the relay to send; that connects the account again",
        "oauth-password-changed": "sign in with the provider and permit the relay to send; that connects it again",
        "oauth-sign-in": "sign in with the provider, do what it asks for, and permit the relay to send again",
        "oauth-secret": "set what the provider's `client_secret:` names (relay secret set); the log says which",
        "oauth-unread": "does `token_url` lead where it should? Is a proxy in between? The log has what was said",
        "oauth-unsaved": "look at the store: disk, log, `/readyz`",
        "no-credentials": "mend the account's `password:`; `relay check` says what is wrong with it",
        "no-node": "start a node of the role all or delivery (`relay status` lists them); all that waits goes then",
        "no-node-logs-in": "start a node that has it, or give it to one that runs: its `/readyz` says what is missing "
        "there (routing-secrets)",
        "paused-by-admin": "let it go again when its time has come: relay account resume {sender}",
        "policy-refused": "have the sender's domain allow this mailbox (SPF, DKIM, DMARC)",
        "protocol-error": "read its answer: is it this mail that it does not take, or are host, port or tls wrong?",
        "retired": "move it to a business mailbox (Mail Plus) or to the doctor's own mailbox",
        "sender-mailbox-full": "empty the mailbox, its folder of sent mail first",
        "sender-refused": "authorise the address at the provider, or set `username` to the mailbox that may use it",
        "spam-blocked": "ask the provider to trust it; then: relay account fixed {sender}; it is tried again in a day",
        "tls-ca-unreadable": "mend `tls_ca` in the routing",
        "tls-expired": "tell the provider; is this machine's clock right?",
        "tls-expected": "set `tls: implicit` for this port (465), or the port to the one for STARTTLS (587)",
        "tls-failed": "look at the provider with `openssl s_client`, from this machine",
        "tls-injected": "find out who sits between this machine and the provider",
        "tls-not-offered": "find out who sits between this machine and the provider; implicit TLS needs no offer",
        "tls-not-spoken": "check host, port and tls of the provider in the routing",
        "tls-not-yet-valid": "is this machine's clock right?",
        "tls-refused": "ask the provider, or use implicit TLS",
        "tls-required": "check host, port, tls and tls_ca of the provider in the routing",
        "tls-self-signed": "name the certificate in `tls_ca`, if it is to be trusted",
        "tls-too-old": "ask the provider for TLS 1.2",
        "tls-untrusted": "name the authority in `tls_ca`, if it is to be trusted",
        "tls-wrong-name": "set `host` to the name that the certificate is for",
        "unusable-credentials": "mend `username` or `password` of the account in the routing",
        "unknown": "read the answer in `relay queue show`; the provider's support knows what it means",
    }
)
"""By reason: what the one who has to act does; `{sender}` is the account."""

SET = "relay account set-password {sender}"
SET_TOKEN = "relay account set-password --oauth {sender}"
CONNECT = f"sign in with the provider and permit the relay to send; then: {SET_TOKEN}"

KEPT_HERE: Mapping[str, str] = MappingProxyType(
    {
        "auth-rejected": f"have the right password set: {SET}; it is tried at once",
        "auth-method": f"make an app password at the provider (or enable SMTP there), and have it set: {SET}",
        "no-credentials": f"set it: {SET}; where an edit of the routing took it away and is wrong, take that back",
        "unusable-credentials": f"set it without that character: {SET}; or mend `username` in the routing",
        "no-token": CONNECT,
        "oauth-consent": CONNECT,
        "oauth-password-changed": CONNECT,
        "oauth-sign-in": f"do what the provider asks for; {CONNECT}",
    }
)
"""The same where the relay keeps what the mailbox logs in with (`secret:`)."""

BY_HAND: frozenset[str] = frozenset({"paused-by-admin", "spam-blocked", "bounce-guard", "in-doubt", "no-token"})
"""What an admin does by a verb, and not in the routing."""

_OWNERS: Mapping[str | None, str] = MappingProxyType(
    {
        "personal": "the owner of the mailbox: the doctor",
        "business": "the owner of the mailbox: the vendor",
        "premium": "the owner of the mailbox: the vendor",
        "legacy": "the owner of the mailbox: the vendor",
    }
)


def why(reason: str | None) -> str:
    """The sentence of a reason, with its word, which log and metrics use too."""
    if reason is None:
        return "nothing is in its way"
    said = WHY.get(reason)
    return f"the relay calls it {reason}" if said is None else f"{said} ({reason})"


def who(needs: str, plan: str | None, reason: str | None = None, *, is_kept_here: bool = False) -> str:
    """Who has to act."""
    if needs == "owner":
        return _OWNERS.get(plan, "the owner of the mailbox")
    if needs == "admin" and reason == "no-credentials" and is_kept_here:
        return f"an admin, who is told the password by {_OWNERS.get(plan, 'the owner of the mailbox')}"
    if needs == "admin" and reason in BY_HAND:
        return "an admin"
    return {"admin": "an admin, in the routing", "ops": "whoever runs the relay"}.get(needs, needs)


def then(reason: str, sender: str, *, is_kept_here: bool) -> str:
    """What follows when the owner has done at his provider what its profile says."""
    if reason in ("auth-rejected", "auth-method"):
        return SET.format(sender=sender) if is_kept_here else "put it where the routing's `password:` points"
    if reason == "no-token" or reason.startswith("oauth-"):
        return SET_TOKEN.format(sender=sender) if is_kept_here else "put the token where `password:` points"
    return f"relay account fixed {sender}"


def remedy(reason: str | None, sender: str = "SENDER", *, is_kept_here: bool = False) -> str | None:
    """What whoever has to act does; None: the reason does not say."""
    found = (KEPT_HERE.get(reason or "") if is_kept_here else None) or REMEDY.get(reason or "")
    return None if found is None else found.format(sender=sender)
