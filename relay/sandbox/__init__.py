"""A provider emulator that counts, enforces limits and misbehaves on request."""
