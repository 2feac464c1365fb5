"""Building a suite on a chain, and proving afterwards that the builder kept nothing."""
