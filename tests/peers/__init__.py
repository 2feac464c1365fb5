"""Deploys the protocols that Breakwater works with, from their own builds, on any web3 chain."""
