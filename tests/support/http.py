"""Calls to the local Google Cloud, as `httpx.get` and its like make them, at less cost.

Those load the system's certificates for each call, which takes 30 ms of a processor; most calls of
the tests take less than 5. No connection is kept: tests restart servers on the same port.
"""

import httpx

from tests.support.waiting import PATIENCE_SECONDS

client = httpx.Client(
    timeout=PATIENCE_SECONDS,
    verify=False,
    trust_env=False,
    limits=httpx.Limits(max_keepalive_connections=0),
)
request = client.request
get = client.get
head = client.head
post = client.post
put = client.put
patch = client.patch
delete = client.delete
