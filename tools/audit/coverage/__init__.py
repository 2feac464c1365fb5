"""Which lines and ways of the production contracts the Python tests reach; changes no contract.

The tests run on a build that has a probe in each statement and each way of each condition, without
the optimiser, so that what is reached is what was written. The shipped bytecode is tested by
`make test`.
"""
