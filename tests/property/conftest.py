"""Hypothesis for the whole folder."""

from __future__ import annotations

from hypothesis import settings

# No deadline: a machine that is busy with containers makes any single example slow. The rest, as the `ci`
# profile where CI is set, stays what Hypothesis chose.
settings.register_profile("galewatch", settings(), deadline=None, max_examples=50)
settings.load_profile("galewatch")
