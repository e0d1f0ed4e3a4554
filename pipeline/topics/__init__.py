"""Kafka's topics from the outside: read, decoded, produced to, and dead letters sent again."""
