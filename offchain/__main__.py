"""`python -m offchain`; see `offchain.cli`."""

from offchain.cli import main

main()
