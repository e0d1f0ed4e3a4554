"""An offline stand-in for the Terraform provider kreuzwerker/docker 4.5.0.

Importing the package is cheap on purpose: Terraform starts a provider once or twice a command.
"""

__all__ = ["SOURCE", "VERSION"]

SOURCE = "registry.terraform.io/kreuzwerker/docker"
"""The source address that the stand-in is installed under."""

VERSION = "4.5.0"
"""The version of the official provider whose schema and behaviour the stand-in offers."""
