# pragma version 0.4.3
"""
@title Vyper twin of a one-slot store
@license MIT
"""

value: public(uint256)

event Stored:
    caller: indexed(address)
    value: uint256


@external
def store(value: uint256):
    assert value != 0, "zero"
    self.value = value
    log Stored(caller=msg.sender, value=value)
