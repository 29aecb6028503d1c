"""Sends one mail with an attachment through Python's smtplib, as the documentation of the library shows it."""

import smtplib
import ssl
import sys
from email.message import EmailMessage
from pathlib import Path


def main() -> None:
    host, port, tls, ca, login, password, sender, recipient, subject, body, attachment = sys.argv[1:]
    mail = EmailMessage()
    mail["From"] = f"Dott.ssa Anna Mühlbauer <{sender}>"
    mail["To"], mail["Subject"] = recipient, subject
    mail.set_content(Path(body).read_text("utf-8"))
    mail.add_attachment(Path(attachment).read_bytes(), maintype="application", subtype="octet-stream", filename="r.bin")
    context = ssl.create_default_context(cafile=ca or None)
    if tls == "implicit":
        client: smtplib.SMTP = smtplib.SMTP_SSL(host, int(port), timeout=50, context=context)
    else:
        client = smtplib.SMTP(host, int(port), timeout=50)
    with client:
        if tls == "starttls":
            client.starttls(context=context)
        client.login(login, password)
        client.send_message(mail)


try:
    main()
except smtplib.SMTPException as error:
    print(error, file=sys.stderr)
    sys.exit(1)
