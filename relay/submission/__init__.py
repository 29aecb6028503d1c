"""The SMTP listener that clients hand their mail to, with their authentication; the only user of aiosmtpd."""
