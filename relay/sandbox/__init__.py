"""A provider emulator that counts, enforces limits and misbehaves on request."""

from relay.sandbox.journal import Record as Record
from relay.sandbox.journal import read_log as read_log
from relay.sandbox.sandbox import Sandbox as Sandbox
from relay.sandbox.settings import CountAt as CountAt
from relay.sandbox.settings import Fault as Fault
from relay.sandbox.settings import SandboxSettings as SandboxSettings
from relay.sandbox.settings import Tls as Tls
