"""What is uploaded before a stack: each account's functions in one zip, and its definitions, as `make package` lays them out."""

import io
import os
import subprocess
import tempfile
import zipfile
from pathlib import Path

from .accounts import REGION, client
from .stack import ROOT

PREFIX = "drill"
# What the anonymizer's image is called in the template. A digest of zeros is nobody's image.
IMAGE = f"111111111111.dkr.ecr.{REGION}.amazonaws.com/anonymizer@sha256:{'0' * 64}"


def images(servers):
    """The anonymizer's image: its program, and what its Dockerfile sets."""
    return {IMAGE: {"entrypoint": [os.environ["DRILL_ANONYMIZER"]], "environment": {}}}


def upload(account, bucket, crate, program, beside=None):
    """`PREFIX/CRATE.zip`, with files beside the program, and the definitions of a crate."""
    s3 = client("s3", account)
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=bucket, Key=f"{PREFIX}/{crate}.zip", Body=_zip(program, beside or {}))
    for file in (ROOT / crate).glob("*.asl.json"):
        s3.put_object(Bucket=bucket, Key=f"{PREFIX}/{crate}/{file.name}", Body=file.read_bytes())


def _zip(binary, beside) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        # Symbols are most of it.
        stripped = Path(folder) / "bootstrap"
        subprocess.run(["strip", "-o", stripped, binary], check=True)
        body = io.BytesIO()
        with zipfile.ZipFile(body, "w", zipfile.ZIP_STORED) as archive:
            entry = zipfile.ZipInfo("bootstrap")
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, stripped.read_bytes())
            for name, content in beside.items():
                archive.writestr(name, content)
    return body.getvalue()
