"""A whole world on a local chain: real peers, a suite on top, and a key for every role."""
