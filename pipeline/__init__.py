"""Galewatch: watches the weather and raises an alert the moment a reading crosses a line.

The flow: `sources` give `readings` of the `stations`, which go to the history and, when fresh, to Kafka;
`rules` and `windows` say what Spark makes of them. The modules named here are pure; each connection (HTTP,
PostgreSQL, Kafka, registry, Cassandra) has a module of its own.
"""
