"""The certificate of the API and its key, checked before anybody is served."""

import ssl
from contextlib import suppress
from pathlib import Path

from shared.errors import WrongSettings
from shared.secret_files import secret_of_file
from shared.settings import Settings

_CERT, _KEY = "MLMINI_TLS_CERT_FILE", "MLMINI_TLS_KEY_FILE"
# The errors that are about time (https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/).
_OF_TIME = {9: "is not valid yet", 10: "has expired"}


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """The context for https with the certificate of the settings; None if there is none.

    Raises:
        WrongSettings: when the files cannot be used, do not belong together, or the certificate is not valid now.
    """
    files = tls_files(settings)
    if files is None:
        return None
    certificate, key = files
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without this, OpenSSL would ask for the password of a key at the terminal.
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except ssl.SSLError as error:
        raise WrongSettings(_problem(certificate, error)) from None
    _check_moment(context, certificate)
    return context


def tls_files(settings: Settings) -> tuple[Path, Path] | None:
    """The files of the certificate and its key, checked to be readable; None if there are none.

    Raises:
        WrongSettings: when one is missing or cannot be read, or others can read the key.
    """
    certificate, key = settings.tls_cert_file, settings.tls_key_file
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise WrongSettings(f"{_CERT} and {_KEY} go together: set both, or unset both.")
    try:
        certificate.read_bytes()
    except OSError as error:
        raise WrongSettings(f"{_CERT}: the file cannot be read: {error.strerror}. Let this user read it.") from None
    secret_of_file(key, called=_KEY)
    return certificate, key


def _problem(certificate: Path, error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"{_KEY} is not the key of the certificate in {_CERT}. Name the two files that were made together."
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with suppress(ssl.SSLError):
        found.load_verify_locations(certificate)
    if not found.cert_store_stats()["x509"]:
        return (
            f"{_CERT} holds no certificate. Name a file in PEM form, which has its issuers behind it if there are any."
        )
    return f"{_KEY} holds no key that can be used. Name a file in PEM form without a password."


def _check_moment(context: ssl.SSLContext, certificate: Path) -> None:
    """Shake hands with a client in this process, to have OpenSSL check the dates of the certificate."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.load_verify_locations(certificate)
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client, server = trusting.wrap_bio(back, there), context.wrap_bio(there, back, server_side=True)
    for _ in range(3):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                if error.verify_code in _OF_TIME:
                    raise WrongSettings(
                        f"The certificate in {_CERT} {_OF_TIME[error.verify_code]}. Have a new one made."
                    ) from None
                return
