"""What a person can set about the way to a bucket."""

from __future__ import annotations

from artreg.frozen import Frozen


class StorageOptions(Frozen):
    """How to reach a bucket, and how hard to try.

    Attributes:
        endpoint_url: Where an S3 service other than Amazon's answers; None leaves it to the environment.
        anonymous: Send no credentials.
        connect_timeout: Seconds until a connection must stand.
        read_timeout: Seconds that an answer may stay silent.
        slowest: Bytes a second below which a transfer is given up, in the long run.
        attempts: How often a request is sent at most.
        backoff: Seconds before the second attempt; doubled for each further one, and shortened at random.
        budget: Seconds since storage last answered properly after which nothing that failed is sent again.
        part_size: Bytes in a part of a large upload, and in a piece of a large download.
        parallel: Parts or pieces in flight at a time; so many, and no more, are held in memory for each large file.
    """

    endpoint_url: str | None = None
    anonymous: bool = False
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    slowest: int = 16 * 2**10
    attempts: int = 6
    backoff: float = 0.2
    budget: float = 120.0
    part_size: int = 8 * 2**20
    parallel: int = 8
