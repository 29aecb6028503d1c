"""A mail relay that sends each account through its own mailbox, within every limit, and loses nothing."""

__version__ = "0.1.0"
