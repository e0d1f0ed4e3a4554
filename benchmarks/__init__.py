"""How fast, and at what cost: the running environment measured, and a plain Python consumer beside it.

`python -m benchmarks latency` (make bench-latency) and `python -m benchmarks drain` (make bench-drain).
"""
