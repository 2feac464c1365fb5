"""Fuzz campaigns with a budget, their count of calls, and the corpus of past failures."""
