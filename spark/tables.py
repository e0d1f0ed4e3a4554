"""The driver of the tables: readings with their dead letters, and five-minute averages."""

import sys

from pipeline.streaming.driver import main

if __name__ == "__main__":
    sys.exit(main("tables"))
