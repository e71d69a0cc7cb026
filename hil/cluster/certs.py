"""Certificates for a bench: one circle of machines that trust each other.

Rule of this room: the authority signs once and its key is forgotten, so that nobody can be let in later. All machines
of the circle carry the same three files; who is to be shut out makes a new circle necessary. Nothing is overwritten.
"""

import datetime
import os
from pathlib import Path

from firmware_bridge.errors import FileError, MissingPart
from hil.cluster.address import CA, CERT, KEY

__all__ = ["make_certificates"]


def make_certificates(folder: Path, days: int, now: datetime.datetime) -> list[Path]:
    """Write the certificate of an authority, and a certificate with its key that it signed.

    Args:
        folder: Where to; it is made, readable by its owner only.
        days: How long they hold.
        now: Since when, UTC.

    Raises:
        FileError: A file is there already, or cannot be written.
        MissingPart: cryptography is not installed.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
    except ImportError:
        raise MissingPart("cryptography is not installed", "hil.cluster",
                          "run: pip install 'hil-testbench[cluster]'") from None  # fmt: skip
    until = now + datetime.timedelta(days=days)
    early = now - datetime.timedelta(hours=1)  # for hosts whose clock is a little behind

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def certificate(subject: str, key: ec.EllipticCurvePublicKey, authority: bool) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(named(subject))
            .issuer_name(named("hil bench"))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(early)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(authority, 0 if authority else None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )

    signer, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(
        digital_signature=False, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    ca = certificate("hil bench", signer.public_key(), True).add_extension(usage, critical=True)
    mine = certificate("hil", own.public_key(), False).add_extension(purposes, critical=False)
    pem = serialization.Encoding.PEM
    texts = {
        CA: ca.sign(signer, hashes.SHA256()).public_bytes(pem),
        CERT: mine.sign(signer, hashes.SHA256()).public_bytes(pem),
        KEY: own.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    }
    return _written(folder, texts)


def _written(folder: Path, texts: dict[str, bytes]) -> list[Path]:
    if there := [name for name in texts if (folder / name).exists()]:
        raise FileError(f"{there[0]} is there already", str(folder), "choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, text in texts.items():
            with open(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(text)
    except OSError as error:
        raise FileError(f"it cannot be written ({error.strerror})", str(folder), "choose another folder") from None
    return [folder / name for name in texts]
