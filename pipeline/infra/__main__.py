"""`python -m pipeline.infra`: Ctrl-C is quiet from the first moment, even while modules are loaded."""

import signal

# Until the commands take over, an interrupt ends the program as it ends any other: without a traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from pipeline.infra.commands import app  # noqa: E402 - the line above must come first

if __name__ == "__main__":
    app(prog_name="make")
