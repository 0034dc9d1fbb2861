"""Amazon's descriptions of its services, read once."""

import functools

import boto3
from botocore import session
from botocore.loaders import JSONFileLoader


def remember_descriptions() -> None:
    """Have every client of S3 use what the first one has read: it takes ten times as long as the rest of its start."""
    read = functools.cache(JSONFileLoader().load_file)
    JSONFileLoader.load_file = lambda _self, path: read(path)  # type: ignore[method-assign,assignment] # it serves every loader
    # The loader itself remembers which services there are, for which it looks into hundreds of folders.
    session.create_loader = functools.cache(session.create_loader)
    boto3.client("s3", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
