"""Whom a connection may believe, and why no encryption came about."""

import os
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from relay.core.meaning import Fault
from relay.core.routing import Provider
from relay.delivery.trust import SystemTrust, fault_of
from tests.misfortune.certificates import make

PROVIDER = Provider("lab", "mail.test", 465)


def test_certificate_and_name_are_always_verified_and_old_tls_is_not_spoken() -> None:
    context = SystemTrust()(PROVIDER)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_private_authority_is_added_for_its_own_provider_alone(tmp_path: Path) -> None:
    trust, authority = SystemTrust(), make(tmp_path).authority
    private = trust(replace(PROVIDER, tls_ca=str(authority)))
    usual = trust(PROVIDER)
    assert len(private.get_ca_certs()) == len(usual.get_ca_certs()) + 1
    assert trust(replace(PROVIDER, name="other", tls_ca=str(authority))) is private


def test_an_authority_that_was_renewed_in_its_file_counts_from_the_next_login(tmp_path: Path) -> None:
    trust, authority = SystemTrust(), make(tmp_path).authority
    provider = replace(PROVIDER, tls_ca=str(authority))
    old = trust(provider)
    assert trust(provider) is old
    make(tmp_path)
    os.utime(authority, ns=(1, 1))
    assert trust(provider) is not old


@pytest.mark.parametrize("text", [None, "", "no certificate"])
def test_an_authority_that_cannot_be_read_is_an_error_each_time(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "ca.pem"
    if text is not None:
        file.write_text(text)
    trust = SystemTrust()
    for _ in range(2):
        with pytest.raises(OSError):  # noqa: PT011 - an SSLError is one
            trust(replace(PROVIDER, tls_ca=str(file)))


def test_a_failure_that_nobody_foresaw_has_a_name_too() -> None:
    assert fault_of(ssl.SSLError(1, "something new")) is Fault.TLS_FAILED
    unknown = ssl.SSLCertVerificationError()
    unknown.verify_code = 23
    assert fault_of(unknown) is Fault.TLS_UNTRUSTED
