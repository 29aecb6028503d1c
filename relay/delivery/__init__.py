"""Upstream: dispatcher, attempts and mailbox sessions; the only user of aiosmtplib."""
