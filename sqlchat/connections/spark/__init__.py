"""Spark over Spark Connect: Apache Spark 4, Sail, and other servers of its protocol.

`connection.py` is the class; `session.py` speaks the protocol, by the messages of the package pyspark-client, which
is imported at the first use. `statement.py` says what may be sent, `types.py` makes JSON of an answer.
"""
