"""Plants faults in contracts and money-handling Python and asks whether a test notices each.

All faults of a contract are compiled into one build, each behind a switch: it acts only while the
block's coinbase is the fault's number. So a fault costs no compilation, only its tests.
"""
