"""Keys in KMS: what is derived from one is written down, so that the drill can search for it."""

import base64

from ministack.services import kms

from . import passwords


def install():
    """Listens at the one place where codes are made."""
    compute = kms._compute_mac

    def compute_mac(*wanted):
        code = compute(*wanted)
        passwords.note(code.hex())
        passwords.note(base64.b64encode(code).decode())
        return code

    kms._compute_mac = compute_mac
