"""Routine work whose trigger is what a contract says, never what the clock of this machine says."""
