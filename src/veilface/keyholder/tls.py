"""Mutual TLS 1.3 between the server and the key holder: two self-signed certificates, each pinned by the other side.

There is no certificate authority. Each side trusts exactly one certificate, byte for byte, which may sign no other.
"""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from veilface.keyholder.errors import KeyHolderMisconfigured
from veilface.keyholder.keys import write_secret

KEYHOLDER_CERTIFICATE: Final = "keyholder.crt"
KEYHOLDER_KEY: Final = "keyholder.tls.key"
CLIENT_CERTIFICATE: Final = "client.crt"
CLIENT_KEY: Final = "client.tls.key"
LIFETIME: Final = timedelta(days=3650)
_USAGE: Final = {"keyholder": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


def write_certificate(*, certificate: Path, key: Path, role: str) -> None:
    """Make a P-256 key (0600) and its self-signed certificate for ``role``: ``keyholder`` or ``client``.

    Raises ``FileExistsError`` when the key is there already.
    """
    private_key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"veilface {role}")])
    identifier = x509.SubjectKeyIdentifier.from_public_key(private_key.public_key())
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([_USAGE[role]]), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(f"{role}.veilface.internal")]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(private_key, SHA256())
    )
    write_secret(key, private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate.write_bytes(signed.public_bytes(Encoding.PEM))


def server_context(data: Path) -> ssl.SSLContext:
    """The key holder's side: only the pinned client, only TLS 1.3."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    return _pinned(
        context,
        certificate=data / KEYHOLDER_CERTIFICATE,
        key=data / KEYHOLDER_KEY,
        peer=data / CLIENT_CERTIFICATE,
    )


def client_context(credentials: Path) -> ssl.SSLContext:
    """The server's side: only the pinned key holder, whatever address it has, only TLS 1.3."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the one trusted certificate says who it is; its address may change
    return _pinned(
        context,
        certificate=credentials / CLIENT_CERTIFICATE,
        key=credentials / CLIENT_KEY,
        peer=credentials / KEYHOLDER_CERTIFICATE,
    )


def _pinned(context: ssl.SSLContext, *, certificate: Path, key: Path, peer: Path) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    for path in (certificate, key, peer):
        if not path.is_file():
            raise KeyHolderMisconfigured(path=str(path))
    try:
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(cafile=peer)
    except (OSError, ssl.SSLError) as error:
        raise KeyHolderMisconfigured(path=str(certificate)) from error
    return context
