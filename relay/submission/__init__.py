"""The SMTP listener that clients hand their mail to, with their authentication; the only user of aiosmtpd."""

from relay.submission.authentication import Authenticator
from relay.submission.observer import Observer
from relay.submission.server import SubmissionServer
from relay.submission.settings import ListenerSettings, SubmissionSettings

__all__ = ["Authenticator", "ListenerSettings", "Observer", "SubmissionServer", "SubmissionSettings"]
