"""Certificates of servers, signed by an authority of this run's own: what RDS's authorities are for databases there."""

import datetime
import ipaddress
import shutil
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_authority = None


def authority(file: Path):
    """Makes the authority and writes down its certificate."""
    global _authority
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder("drill authority", "drill authority", key)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    _authority = builder.sign(key, hashes.SHA256()), key
    file.write_bytes(_authority[0].public_bytes(serialization.Encoding.PEM))


def issue(hosts, certificate: Path, key_file: Path, account):
    """A certificate for some addresses, in the two files that a server reads."""
    signer, signer_key = _authority
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.IPAddress(ipaddress.ip_address(host)) for host in hosts]
    builder = _builder(hosts[0], "drill authority", key)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    made = builder.sign(signer_key, hashes.SHA256())
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    key_file.chmod(0o600)
    for file in (certificate, key_file):
        if account:
            shutil.chown(file, account)


def _builder(subject, issuer, key):
    def name(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    day = datetime.timedelta(days=1)
    return builder.not_valid_before(now - day).not_valid_after(now + 30 * day)
