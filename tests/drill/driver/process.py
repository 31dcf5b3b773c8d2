"""The emulator as a process, with a folder of its own for all that it has. It ends with the drill, however that ends."""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

DRILL = Path(__file__).resolve().parents[1]


class Emulator:
    """Runs as long as the `with` block."""

    def __init__(self, images, wait_scale="0.01", delay="0.2"):
        # Servers run as an account of their own, which has to come through.
        self.lock = threading.Lock()
        self.folder = Path(tempfile.mkdtemp(prefix="drill-"))
        self.folder.chmod(0o711)
        self.servers = self.folder / "servers"
        self.servers.mkdir(mode=0o711)
        (self.folder / "images.json").write_text(json.dumps(images(self.servers)))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{port}"
        os.environ["DRILL_ENDPOINT"] = self.url
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "TMPDIR": str(self.folder),
            "AUTH": "true", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": self.url,
            "GATEWAY_PORT": port, "BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": "eu-west-1", "SFTP_ENABLED": "0", "IOT_MTLS_ENABLED": "0", "SFN_WAIT_SCALE": wait_scale,
            "DRILL_SERVERS": str(self.servers), "DRILL_IMAGES": str(self.folder / "images.json"), "DRILL_DELAY": delay,
            # An address for each database; two drills on one machine have different ones.
            "DRILL_NETWORK": str(random.randrange(10, 250)),
        }
        for name in ("ANONYMIZER_TEST_PG_BIN",):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def __enter__(self):
        self.log = open(self.folder / "log", "w")
        self.process = subprocess.Popen([sys.executable, "-m", "emulator"], cwd=DRILL, env=self.environment,
                                        stdin=subprocess.PIPE, stdout=self.log, stderr=subprocess.STDOUT,
                                        # Ctrl-C is for whoever has started it, who then ends it and its servers.
                                        start_new_session=True)
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=5).read()
                return self
            except OSError:
                time.sleep(0.1)
        self.__exit__()
        raise SystemExit("the emulator does not start")

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()
        if "DRILL_KEEP" in os.environ:
            print(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def last_words(self, lines=40):
        """The end of the emulator's log, without what it says of every request."""
        with open(self.folder / "log") as log:
            return [line for line in log if " INFO " not in line][-lines:]

    @contextmanager
    def image(self, script):
        """A script in the place of what every image runs: `$REAL` is that, `$HERE` a folder of this run's."""
        file = self.folder / "images.json"
        was = file.read_text()
        images = json.loads(was)
        for image in images.values():
            head = f"REAL='{image['entrypoint'][0]}'\nHERE='{self.folder}'\n"
            image["entrypoint"] = ["/bin/sh", "-c", head + script, "image"]
        file.write_text(json.dumps(images))
        try:
            yield
        finally:
            file.write_text(was)

    @contextmanager
    def strangers(self, *accounts):
        """Whom the analyzer says that sharing would let in, besides those it is asked about."""
        file = self.servers / "strangers.json"
        file.write_text(json.dumps(accounts))
        try:
            yield
        finally:
            file.unlink()

    def limit(self, account, **limits):
        """Quotas of an account."""
        with self.lock:
            file = self.servers / "limits.json"
            every = json.loads(file.read_text()) if file.exists() else {}
            file.with_suffix(".new").write_text(json.dumps(every | {account: limits}))
            file.with_suffix(".new").rename(file)
