"""Certificate and key are read together, and what is wrong with them is said so that somebody can mend it."""

import asyncio
import ssl
import subprocess
from pathlib import Path

import pytest

from relay.sandbox.certificates import CertificateFiles, make_certificates
from relay.submission.certificate import CertificateTrouble, read_certificate
from relay.vault import expiry_of

pytestmark = pytest.mark.needs("openssl")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    return asyncio.run(make_certificates(tmp_path_factory.mktemp("one")))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    return asyncio.run(make_certificates(tmp_path_factory.mktemp("two")))


def trouble(certificate: Path, key: Path) -> str:
    with pytest.raises(CertificateTrouble) as caught:
        read_certificate(certificate, key, expiry_of)
    return str(caught.value)


def test_a_pair_that_fits_tells_its_end(files: CertificateFiles) -> None:
    found = read_certificate(files.certificate, files.key, expiry_of)
    command = ["openssl", "x509", "-in", str(files.certificate), "-noout", "-enddate"]
    said = subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip().partition("=")[2]
    assert found.expires_at == ssl.cert_time_to_seconds(said)


def test_nothing_older_than_tls_1_2_is_spoken_and_nothing_is_negotiated_twice(files: CertificateFiles) -> None:
    context = read_certificate(files.certificate, files.key, expiry_of).context
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert ssl.OP_NO_RENEGOTIATION in context.options
    assert ssl.OP_NO_COMPRESSION in context.options


def test_the_first_certificate_of_a_chain_is_the_one_that_ends(files: CertificateFiles, tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes(files.certificate.read_bytes() + files.authority.read_bytes())
    assert expiry_of(chain.read_bytes()) == expiry_of(files.certificate.read_bytes())


def test_the_key_of_another_certificate(files: CertificateFiles, others: CertificateFiles) -> None:
    assert trouble(files.certificate, others.key) == f"{others.key} is not the key of {files.certificate}"


def test_a_file_that_is_not_there(files: CertificateFiles, tmp_path: Path) -> None:
    gone = tmp_path / "gone.pem"
    assert trouble(gone, files.key) == f"{gone} cannot be read: no such file or directory"
    assert trouble(files.certificate, gone) == f"{gone} cannot be read: no such file or directory"


def test_which_of_the_two_has_to_be_mended_is_said(files: CertificateFiles, others: CertificateFiles) -> None:
    for certificate, key in ((files.certificate, others.key), (files.certificate, files.key.parent)):
        with pytest.raises(CertificateTrouble) as caught:
            read_certificate(certificate, key, expiry_of)
        assert caught.value.is_of_key
    with pytest.raises(CertificateTrouble) as caught:
        read_certificate(files.certificate.parent, files.key, expiry_of)
    assert not caught.value.is_of_key


def test_a_file_that_is_something_else(files: CertificateFiles, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    for content in (b"", b"hello\n", b"\x30\x82\x01\x00", files.key.read_bytes()[:100]):
        other.write_bytes(content)
        assert "are not a certificate with its key in PEM" in trouble(other, files.key)
        assert "are not a certificate with its key in PEM" in trouble(files.certificate, other)


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_at_the_terminal(
    files: CertificateFiles, tmp_path: Path
) -> None:
    locked = tmp_path / "locked.pem"
    command = ["openssl", "pkey", "-in", str(files.key), "-aes256", "-passout", "pass:secret", "-out", str(locked)]
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    assert "is encrypted with a password" in trouble(files.certificate, locked)
