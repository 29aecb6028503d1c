// Sends one mail with an attachment through Nodemailer; what goes wrong is printed as an application would see it.
const fs = require("node:fs");
const nodemailer = require("nodemailer");

const [host, port, tls, ca, login, password, sender, recipient, subject, body, attachment] = process.argv.slice(2);

const transport = nodemailer.createTransport({
  host,
  port: Number(port),
  secure: tls === "implicit",
  requireTLS: tls === "starttls",
  ignoreTLS: tls === "none",
  tls: ca ? { ca: fs.readFileSync(ca) } : {},
  auth: { user: login, pass: password },
});

transport
  .sendMail({
    from: { name: "Dott.ssa Anna Mühlbauer", address: sender },
    to: recipient,
    subject,
    text: fs.readFileSync(body, "utf8"),
    attachments: [{ filename: "referto.bin", content: fs.readFileSync(attachment) }],
  })
  .then((info) => console.log(info.response))
  .catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  })
  .finally(() => transport.close());
