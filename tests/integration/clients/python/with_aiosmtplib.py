"""Sends one mail with an attachment through aiosmtplib's `send`, as its documentation shows it."""

import asyncio
import sys
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib


async def main() -> None:
    host, port, tls, ca, login, password, sender, recipient, subject, body, attachment = sys.argv[1:]
    mail = EmailMessage()
    mail["From"] = f"Dott.ssa Anna Mühlbauer <{sender}>"
    mail["To"], mail["Subject"] = recipient, subject
    mail.set_content(Path(body).read_text("utf-8"))
    mail.add_attachment(Path(attachment).read_bytes(), maintype="application", subtype="octet-stream", filename="r.bin")
    await aiosmtplib.send(
        mail,
        hostname=host,
        port=int(port),
        username=login,
        password=password,
        use_tls=tls == "implicit",
        start_tls=tls == "starttls",
        cert_bundle=ca or None,
        timeout=50,
    )


try:
    asyncio.run(main())
except aiosmtplib.SMTPException as error:
    print(error, file=sys.stderr)
    sys.exit(1)
