"""The connections of botocore, which must keep a pace."""

from __future__ import annotations

from typing import Any

from artreg.pace import Pace, paced
from artreg.store.options import StorageOptions


def keep_pace(session: Any, options: StorageOptions) -> None:
    """Make the connections of a botocore session give up on what is too slow.

    Args:
        session: A `URLLib3Session` that has made no connection yet.
        options: Say what is too slow.
    """
    from botocore.awsrequest import (  # noqa: PLC0415
        AWSHTTPConnection,
        AWSHTTPConnectionPool,
        AWSHTTPSConnection,
        AWSHTTPSConnectionPool,
    )

    pace = Pace(options.read_timeout, options.slowest)
    pools = session._pool_classes_by_scheme  # which the managers of proxies get too
    pools["http"] = paced(AWSHTTPConnectionPool, AWSHTTPConnection, pace)
    pools["https"] = paced(AWSHTTPSConnectionPool, AWSHTTPSConnection, pace)
