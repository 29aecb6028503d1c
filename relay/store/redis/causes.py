"""What probably keeps a server from being reached, as a sentence: TLS on one side alone, a certificate.

Law: it is said only of a server that has not answered anything yet, and it names what to write, never what is secret.
"""

import re
import ssl

NO_TLS = "does it speak TLS at this port (tls-port in its redis.conf)? Without TLS the address begins with redis://"
TLS = "is this its port for TLS? Then the address begins with rediss://"
CLIENT = "perhaps it wants a certificate of the relay, which has none: write `tls-auth-clients no` in its redis.conf"
NAME = "its certificate has not the name that `store` says: write there one that it has"
EXPIRED = "its certificate has ended, or does not count yet"

_CONNECTING = re.compile(r"connecting to ")
"""What redis-py says of an error that came before TLS had begun."""


def cause_over_tls(error: Exception, ca: str | None, *, is_proven: bool) -> str:
    """Why a server may have refused, or not have answered, where TLS was begun; `is_proven`: it has answered before."""
    text = str(error).lower().replace("_", " ")
    if "certificate verify failed" in text:
        return _cause_of_distrust(text, ca)
    if is_proven:
        return ""
    if "certificate required" in text or "alert handshake failure" in text or not _CONNECTING.search(text):
        return "" if "timeout" in text else CLIENT  # TLS began, and then it hung up
    return NO_TLS


def _cause_of_distrust(text: str, ca: str | None) -> str:
    if "mismatch" in text:
        return NAME
    if "expired" in text or "not yet valid" in text:
        return EXPIRED
    known = f"{ca} (?ca=) has not" if ca else "this machine does not know"
    return f"{known} the authority of its certificate: write ?ca=/FILE at the end of `store`, a file that has it (PEM)"


def flaw_of_anchors(ca: str) -> str | None:
    """Why a file of trust anchors cannot be used; None: it can."""
    try:
        ssl.create_default_context(cafile=ca)
    except ssl.SSLError:
        why = "there is no certificate in it (PEM)"
    except OSError as error:
        why = error.strerror or "it cannot be read"
    else:
        return None
    return f"the file of trust anchors {ca} (?ca= in `store`) cannot be used: {why}"
