"""Signed intents in, settled batches out; whoever submits can neither worsen nor redirect one."""
