// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {StrategyDouble} from "./StrategyDouble.sol";

/// @notice A strategy that works but answers oddly: too little, too much, or by what it can read meanwhile.
contract OddAnswers is StrategyDouble {
    bool public mute;
    bool public odd;
    bool public moves;
    bytes public transferAnswer;
    address public asked;
    bytes public question;

    constructor(address asset_) StrategyDouble(asset_) {}

    /// @notice While mute, a withdrawal pays, burns no share and answers nothing.
    function setMute(bool mute_) external {
        mute = mute_;
    }

    /// @notice From now on a transfer answers this, and moves the shares or not.
    function setTransfer(bytes calldata answer, bool moves_) external {
        (odd, transferAnswer, moves) = (true, answer, moves_);
    }

    /// @notice Says that shares are worth twice as much whenever `to` answers this question.
    function setQuestion(address to, bytes calldata question_) external {
        (asked, question) = (to, question_);
    }

    function previewRedeem(uint256 shares) public view override returns (uint256) {
        uint256 worth = super.previewRedeem(shares);
        if (asked == address(0)) return worth;
        (bool answered,) = asked.staticcall(question);
        return answered ? 2 * worth : worth;
    }

    function withdraw(uint256 assets, address receiver, address owner) public override returns (uint256) {
        if (!mute) return super.withdraw(assets, receiver, owner);
        _withdraw(msg.sender, receiver, owner, assets, 0);
        assembly ("memory-safe") {
            return(0, 0)
        }
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        _callBack();
        if (!odd) return super.transfer(to, amount);
        if (moves) _transfer(msg.sender, to, amount);
        bytes memory answer = transferAnswer;
        assembly ("memory-safe") {
            return(add(answer, 0x20), mload(answer))
        }
    }
}
