"""What a certificate says of itself.

Law: it is read and never judged here; whoever shows it or trusts it decides.
"""

from cryptography.x509 import load_pem_x509_certificates


def expiry_of(pem: bytes) -> float:
    """When the first certificate of a PEM text ends, in seconds since 1970. ValueError: there is none."""
    return load_pem_x509_certificates(pem)[0].not_valid_after_utc.timestamp()
