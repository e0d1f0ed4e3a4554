"""The streaming part: pure DataFrame → DataFrame functions, sources, sinks and the drivers of the queries."""
