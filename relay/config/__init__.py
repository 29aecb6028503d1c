"""The configuration: its schema, its defaults, loading with line numbers, references and reload."""
