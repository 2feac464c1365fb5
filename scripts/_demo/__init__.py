"""An institutional day on a local chain, act by act; every figure is measured, none is written down beforehand."""
