"""The composition root: from a configuration to a running service, with its start order and its stop order."""
