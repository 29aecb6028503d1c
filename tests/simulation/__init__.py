"""The service in a simulated world: virtual time, lying providers, crashes between any two durable writes, one seed."""
