"""A bucket of an S3-compatible service. Imported only where the settings name one, because boto3 is heavy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from s3transfer.exceptions import RetriesExceededError
from storages.backends.s3 import S3File, S3Storage

from users_profiles.storage import StorageDown

# A file that is read is kept in memory up to this size, and in a temporary file from there on.
IN_MEMORY = 2 * 1024 * 1024
# How often one call is tried, in all: a page waits for it.
TRIES = 2


@contextmanager
def _answering() -> Iterator[None]:
    """Turn the many errors of the client into two: there is no such file, or there is no answer."""
    try:
        yield
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
            raise FileNotFoundError(str(error)) from error
        raise StorageDown from error
    except (BotoCoreError, Boto3Error, RetriesExceededError) as error:
        raise StorageDown from error


class BucketFile(S3File):
    """A file in the bucket, fetched as a whole when it is first read: it can be sought in, and breaks off nowhere."""

    def _get_file(self) -> Any:
        try:
            with _answering():
                return super()._get_file()
        except OSError:
            # What has come of it so far is no file, and must not be taken for one by who reads again.
            if self._file is not None:
                self._file.close()
                self._file = None
            raise

    file = property(_get_file, S3File._set_file)


class PrivateBucket(S3Storage):
    """Keeps files in a bucket for nobody but us: nothing is public, and no address leads to a file."""

    bucket_name: str

    def __init__(self, timeout: int, **options: Any) -> None:
        endpoint = options.get("endpoint_url")
        options["endpoint_url"] = endpoint or None
        options["client_config"] = Config(
            connect_timeout=timeout,
            read_timeout=timeout,
            retries={"mode": "standard", "total_max_attempts": TRIES},
            signature_version="s3v4",
            # Services of one's own rarely have a host name for each bucket, and some know no newer checksums.
            s3={"addressing_style": "path" if endpoint else "auto"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        # One part at a time: with threads, ten parts of 8 MB are in memory at once.
        options["transfer_config"] = TransferConfig(use_threads=False, num_download_attempts=TRIES)
        super().__init__(max_memory_size=IN_MEMORY, **options)

    def _open(self, name: str, mode: str = "rb") -> BucketFile:
        with _answering():
            return BucketFile(self._normalize_name(name), mode, self)

    def _save(self, name: str, content: Any) -> str:
        with _answering():
            saved: str = super()._save(name, content)
        return saved

    def delete(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        with _answering():
            super().delete(name)

    def exists(self, name: str) -> bool:
        with _answering():
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        with _answering():
            return int(super().size(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        with _answering():
            folders, files = super().listdir(path)
        return folders, files

    def get_modified_time(self, name: str) -> datetime:
        with _answering():
            moment: datetime = super().get_modified_time(name)
        return moment

    def names(self, folder: str, start: str = "") -> Iterator[tuple[str, datetime]]:
        """What ``storage.names`` asks for, page by page."""
        client = self.connection.meta.client
        prefix = self._normalize_name(f"{folder}/{start}" if start else folder)
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket_name, Prefix=prefix if start else f"{prefix}/"
        )
        with _answering():
            for page in pages:
                for entry in page.get("Contents", ()):
                    yield f"{folder}/{entry['Key'].rpartition('/')[2]}", entry["LastModified"]

    def all_names(self) -> Iterator[str]:
        """What ``storage.all_names`` asks for, page by page."""
        ours = str(self.location).strip("/")  # type: ignore[attr-defined]
        prefix = f"{ours}/" if ours else ""
        pages = self.connection.meta.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket_name, Prefix=prefix
        )
        with _answering():
            for page in pages:
                keys = (entry["Key"] for entry in page.get("Contents", ()))
                yield from (key.removeprefix(prefix) for key in keys if not key.endswith("/"))

    def url(self, name: str | None, *args: Any, **kwargs: Any) -> str:
        """Refuse: files go out through views, which ask who may have them."""
        raise ValueError("This file has no address of its own.")
