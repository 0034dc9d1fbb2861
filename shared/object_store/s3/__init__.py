"""Objects in any S3 server, through boto3. Nothing outside this package knows boto3."""

from shared.object_store.s3.store import S3Store

__all__ = ["S3Store"]
