"""The second level of the simulated world: real SMTP on both sides, over lines without sockets."""
