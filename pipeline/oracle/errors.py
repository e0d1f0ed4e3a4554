"""What the oracle says when it is asked what it cannot answer."""

from __future__ import annotations

__all__ = ["OracleError"]


class OracleError(Exception):
    """Records or rules that cannot be read; the text names the place, the field and the value."""
