# pragma version 0.4.3
"""
@title Planted for Mythril: the balance is written after the call that pays it out
"""

balanceOf: public(HashMap[address, uint256])
paid: public(uint256)
last: public(address)


@external
@payable
def deposit():
    self.balanceOf[msg.sender] += msg.value


@external
def withdraw():
    raw_call(msg.sender, b"", value=self.balanceOf[msg.sender])
    self.balanceOf[msg.sender] = 0


@external
def note():
    self.last = msg.sender
    self.paid += 1
