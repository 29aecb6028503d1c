"""Built-in provider profiles, one data file each, with their reply rules."""
