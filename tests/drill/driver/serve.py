"""Both accounts for somebody who wants to look: the drill's emulator, empty, until Ctrl-C. What a shell needs stands in a file.

It deploys nothing and knows no password: infra/README.md says what to do with it.
"""

import os
import signal
import sys
import time
from pathlib import Path

from emulator import servers

from .accounts import DEVELOPMENT, PRODUCTION, REGION
from .process import Emulator

PROFILES = {"prod": PRODUCTION, "dev": DEVELOPMENT}
# Where the image has the authorities of databases.
BUNDLE = "/etc/ssl/certs/rds-ca.pem"


def image(place):
    """Every image is the program that was built here."""
    return {"*": {"entrypoint": [os.environ["DRILL_ANONYMIZER"]], "environment": {},
                  "files": {BUNDLE: str(place / "authority.pem")}}}


def environment(emulator) -> str:
    """For a shell: this machine in the place of AWS, and of whoever was logged in there."""
    config, credentials = emulator.folder / "config", emulator.folder / "credentials"
    config.write_text("".join(f"[profile {name}]\nregion = {REGION}\n" for name in PROFILES))
    credentials.write_text("".join(f"[{name}]\naws_access_key_id = {account}\naws_secret_access_key = test\n"
                                   for name, account in PROFILES.items()))
    return (f"unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN\n"
            f"export AWS_ENDPOINT_URL={emulator.url} AWS_EC2_METADATA_DISABLED=true AWS_PAGER=\n"
            f"export AWS_CONFIG_FILE={config} AWS_SHARED_CREDENTIALS_FILE={credentials}\n"
            f"export EMULATOR_CA={emulator.servers / 'authority.pem'}\n")


def main():
    if not servers.programs():
        print("PostgreSQL's server programs are not here\n(hint: `make test` names what is missing)", file=sys.stderr)
        return 1
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, signal.default_int_handler)
    file = Path(sys.argv[1]).resolve()
    with Emulator(image) as emulator:
        file.write_text(environment(emulator))
        try:
            print(f"production is account {PRODUCTION}, development {DEVELOPMENT}, both are empty; Ctrl-C ends them.\n"
                  f"In another shell:\n\n    . {file}\n    aws --profile prod sts get-caller-identity\n", flush=True)
            while emulator.process.poll() is None:
                time.sleep(0.5)
        except KeyboardInterrupt:
            print("\nboth accounts are gone", flush=True)
            return 0
        finally:
            file.unlink(missing_ok=True)
    print("the emulator has ended", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
