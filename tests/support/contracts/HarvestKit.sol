// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {StrategyDouble} from "tests/support/contracts/StrategyDouble.sol";
import {TestToken} from "tests/support/contracts/TestToken.sol";

/// @notice Uses up so much gas and does nothing with it.
library Appetite {
    function eat(uint256 gas) internal view {
        uint256 end = gasleft() - gas;
        while (gasleft() > end) {}
    }
}

/// @notice A strategy double with rewards: mints what is due when claimed, or misbehaves as set.
contract RewardingStrategy is StrategyDouble {
    enum Mode {
        HONEST,
        CLAIM_REVERTS,
        CLAIM_BURNS_GAS,
        LIST_BURNS_GAS,
        LIST_REVERTS,
        REENTERS
    }

    error ClaimRefused();

    Mode public mode;
    address[] private _tokens;
    mapping(address token => uint256) public due;
    bytes public reentry;
    uint256 public listGas;
    uint256 public claimGas;

    constructor(address asset_) StrategyDouble(asset_) {}

    function setMode(Mode mode_) external {
        mode = mode_;
    }

    function setReward(address token, uint256 amount) external {
        _tokens.push(token);
        due[token] = amount;
    }

    /// @notice More of a token that is listed already.
    function setDue(address token, uint256 amount) external {
        due[token] = amount;
    }

    /// @notice What its list and its claim cost beside.
    function setAppetite(uint256 listGas_, uint256 claimGas_) external {
        (listGas, claimGas) = (listGas_, claimGas_);
    }

    function setReentry(bytes calldata data) external {
        mode = Mode.REENTERS;
        reentry = data;
    }

    function rewardTokens() external view returns (address[] memory) {
        if (mode == Mode.LIST_BURNS_GAS) while (true) {}
        require(mode != Mode.LIST_REVERTS, ClaimRefused());
        Appetite.eat(listGas);
        return _tokens;
    }

    function claimRewards(address receiver) external returns (address[] memory tokens, uint256[] memory amounts) {
        require(mode != Mode.CLAIM_REVERTS, ClaimRefused());
        if (mode == Mode.CLAIM_BURNS_GAS) while (true) {}
        Appetite.eat(claimGas);
        if (mode == Mode.REENTERS) {
            (bool success,) = msg.sender.call(reentry);
            require(success, ClaimRefused());
        }
        tokens = _tokens;
        // Says more than it gives: only what arrives may count.
        amounts = new uint256[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) {
            amounts[i] = type(uint128).max;
            TestToken(tokens[i]).mint(receiver, due[tokens[i]]);
            due[tokens[i]] = 0;
        }
    }
}

/// @notice A foreign vault that answers every unknown call with the configured bytes, or burns all gas.
contract FallbackVault is StrategyDouble {
    bytes public junk;
    uint256 public length;
    bool public burns;

    constructor(address asset_) StrategyDouble(asset_) {}

    function setJunk(bytes calldata junk_) external {
        junk = junk_;
    }

    function setLength(uint256 length_) external {
        length = length_;
    }

    function setBurns(bool burns_) external {
        burns = burns_;
    }

    fallback(bytes calldata) external returns (bytes memory) {
        if (burns) while (true) {}
        return length == 0 ? junk : new bytes(length);
    }
}

/// @notice Pays a set price in units of the asset, mints it, and cheats as set.
contract PricedVenue {
    uint256 public priceWad;
    uint256 public takenBps = 10_000;
    bool public lies;
    bool public burns;
    uint256 public sellGas;

    constructor(uint256 priceWad_) {
        priceWad = priceWad_;
    }

    function setPrice(uint256 priceWad_) external {
        priceWad = priceWad_;
    }

    function setTaken(uint256 bps) external {
        takenBps = bps;
    }

    /// @notice While set, it takes all and pays nothing but says it did.
    function setLies(bool lies_) external {
        lies = lies_;
    }

    function setBurns(bool burns_) external {
        burns = burns_;
    }

    /// @notice What a sale costs beside.
    function setAppetite(uint256 sellGas_) external {
        sellGas = sellGas_;
    }

    function sell(address tokenIn, address tokenOut, uint256 amountIn, uint256 minAmountOut, address receiver)
        external
        returns (uint256 amountOut)
    {
        if (burns) while (true) {}
        Appetite.eat(sellGas);
        amountOut = amountIn * priceWad / 1e18;
        IERC20(tokenIn).transferFrom(msg.sender, address(this), amountIn * takenBps / 10_000);
        if (lies) return minAmountOut;
        TestToken(tokenOut).mint(receiver, amountOut);
    }
}

/// @notice Converts at set rates; refuses where none is set.
contract RateOracle {
    error PriceUnavailable(address asset, uint256 healthyFeeds);

    mapping(address base => uint256) public rateWad;

    function setRate(address base, uint256 rateWad_) external {
        rateWad[base] = rateWad_;
    }

    function convertDown(address base, address, uint256 amount) external view returns (uint256) {
        require(rateWad[base] != 0, PriceUnavailable(base, 0));
        return amount * rateWad[base] / 1e18;
    }
}
