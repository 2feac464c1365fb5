# pragma version 0.4.3
"""
@title Vyper twin of a one-slot store
@license MIT
"""

stored: public(uint256)

event Stored:
    caller: indexed(address)
    amount: uint256


@external
def store(amount: uint256):
    assert amount != 0, "zero"
    self.stored = amount
    log Stored(caller=msg.sender, amount=amount)
