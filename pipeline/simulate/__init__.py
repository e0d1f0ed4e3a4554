"""A fleet of devices that produce readings to Kafka themselves: to look at the stream, and to measure it.

Their readings are in no history: the source `simulator` says so.
"""
