"""Serves clients with gunicorn's threaded worker, so that no client can keep the threads from the others.

It differs from gunicorn's own worker in these points:

- The event loop reads requests. A thread gets one when all of it has arrived, so slow clients hold no thread.
- Large and chunked bodies are read by threads of their own, and end in 400 if the client stops sending.
- A thread that has answered waits a moment for the next request of the same connection.
- `/health`, `/ready` and `/metrics` have threads of their own: they must answer while all others are busy.
- A request for which no thread is free ends in 503 after a while.
- If there are too many connections, the oldest idle one makes room for a new one.
- Of two workers, the one with more connections leaves a new one to the other.
- A worker that ends takes and answers the connections that wait in the kernel's queue, instead of resetting them.
- Connections are closed beside the event loop, because a client can delay that by two seconds.
- Failures before and behind the application are problem bodies, as all others are.

`worker` holds the event loop and the threads, `clients` a client's connection.
"""

from sqlchat.serving.worker import Worker

__all__ = ["Worker"]
