"""The `relay` command, one module per group of verbs."""
