"""One module per gate; tools/audit/registry.py names them in the order in which they run."""
