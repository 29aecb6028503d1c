"""Whether certificate and key can be shown to clients, asked before anything is started.

Law: what a start refuses, it refuses too, in the same words.
"""

from pathlib import Path


def try_pair(certificate: Path, key: Path) -> tuple[str, str] | None:
    """Which of the two keeps them from being used, and why; None: they fit."""
    from relay.submission import CertificateTrouble, read_certificate  # noqa: PLC0415 - most have no such listener
    from relay.vault import expiry_of  # noqa: PLC0415 - the same

    try:
        read_certificate(certificate, key, expiry_of)
    except CertificateTrouble as trouble:
        return "key" if trouble.is_of_key else "certificate", str(trouble)
    return None
