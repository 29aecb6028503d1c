"""The `relay` command, one module per group of verbs.

Law: every end has one of four codes and a sentence; no traceback reaches a user. 0 done; 1 a problem that the text
names; 2 wrong use, or relay.yaml cannot be opened; 3 relay not reachable.
"""

from relay.cli.frame import main

__all__ = ["main"]
