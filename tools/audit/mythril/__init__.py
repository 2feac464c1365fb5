"""Mythril's run over creation bytecode, its triage, and its cache."""
