"""Reconciliation: one equation a hop, so that a reading that got lost anywhere is missed.

`collect` reads the books of every store, `books` says what is in them, `equations` compares, and is pure.
"""
