"""Run by Terraform, never by hand."""

import os
import sys

from galewatch_docker.server import COOKIE, serve

if os.environ.get(COOKIE[0]) != COOKIE[1]:
    sys.stderr.write(
        "This is a Terraform provider. Terraform starts it by itself, once it is installed:\n"
        "python -m galewatch_docker.install MIRROR\n",
    )
    sys.exit(1)
serve()
