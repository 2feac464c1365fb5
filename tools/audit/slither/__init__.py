"""Slither's run over a tree of sources, and the exceptions written in them."""
