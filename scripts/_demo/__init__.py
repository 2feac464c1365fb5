"""An institutional day on a local chain, act by act; every figure in it is measured."""
