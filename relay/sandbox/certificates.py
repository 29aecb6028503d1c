"""Makes a certificate authority and a server certificate for tests, with the `openssl` command.

Law: the keys are for loopback and for days; nothing that carries mail ever trusts them unless told to.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from relay.errors import TemporaryError

DAYS = 30
"""Long enough for any run, short enough that nobody builds on it."""

_NOWHERE = asyncio.subprocess.DEVNULL


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """PEM files: what a client has to trust, and what the server shows and signs with."""

    authority: Path
    certificate: Path
    key: Path


class CertificateTrouble(TemporaryError):
    """the test certificates cannot be made"""


async def make_certificates(folder: Path, *, names: tuple[str, ...] = ("localhost",)) -> CertificateFiles:
    """Writes an authority and a certificate for `names` and loopback; raises CertificateTrouble."""
    files = CertificateFiles(folder / "ca.pem", folder / "certificate.pem", folder / "key.pem")
    others = ",".join(f"DNS:{name}" for name in names)
    await _request(
        *("-keyout", str(folder / "ca.key"), "-out", str(files.authority), "-subj", "/CN=Sandbox test authority"),
        *("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
    )
    await _request(
        *("-CA", str(files.authority), "-CAkey", str(folder / "ca.key"), "-keyout", str(files.key)),
        *("-out", str(files.certificate), "-subj", f"/CN={names[0]}"),
        *("-addext", f"subjectAltName={others},IP:127.0.0.1,IP:::1", "-addext", "basicConstraints=critical,CA:FALSE"),
        *("-addext", "keyUsage=critical,digitalSignature", "-addext", "extendedKeyUsage=serverAuth"),
    )
    return files


async def _request(*arguments: str) -> None:
    """One self-made certificate on a fresh P-256 key; an empty config keeps the host's extensions out."""
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", str(DAYS))
    command = ("openssl", "req", "-x509", "-config", "/dev/null", *kind, *arguments)
    try:
        process = await asyncio.create_subprocess_exec(*command, stdout=_NOWHERE, stderr=asyncio.subprocess.PIPE)
    except FileNotFoundError:
        raise CertificateTrouble("the openssl command is missing; give --certificate and --key") from None
    _, complaint = await process.communicate()
    if process.returncode:
        raise CertificateTrouble(f"openssl could not make a certificate: {complaint.decode(errors='replace')[-500:]}")
