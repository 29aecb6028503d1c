"""The SMTP listener that clients hand their mail to, with their authentication; the only user of aiosmtpd."""

from relay.submission.acceptance import Enquiries
from relay.submission.authentication import Authenticator
from relay.submission.certificate import Certificate, CertificateTrouble, read_certificate
from relay.submission.domains import Dns, Domains
from relay.submission.observer import Observer
from relay.submission.recipients import Recipients
from relay.submission.server import SubmissionServer
from relay.submission.settings import HELD, ListenerSettings, SubmissionSettings

__all__ = [
    "HELD",
    "Authenticator",
    "Certificate",
    "CertificateTrouble",
    "Dns",
    "Domains",
    "Enquiries",
    "ListenerSettings",
    "Observer",
    "Recipients",
    "SubmissionServer",
    "SubmissionSettings",
    "read_certificate",
]
