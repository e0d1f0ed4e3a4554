"""What keeps a bench from measuring."""

from __future__ import annotations

from pipeline.errors import GalewatchError

__all__ = ["BenchError"]


class BenchError(GalewatchError):
    """A bench cannot be run, or has measured something that is not right; one sentence."""
