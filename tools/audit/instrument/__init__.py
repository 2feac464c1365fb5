"""Compiles the contracts with probes and switches in them, for coverage and mutation testing.

What ships is never touched: the rewritten sources live in memory, their builds in a cache.
"""
