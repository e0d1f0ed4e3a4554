"""The driver of the alerts: readings that cross a rule, to Cassandra and to the topic `alerts`."""

import sys

from pipeline.streaming.driver import main

if __name__ == "__main__":
    sys.exit(main("alerts"))
