// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

interface IOpenToken is IERC20 {
    function mint(address to, uint256 amount) external;
    function burn(address from, uint256 amount) external;
}

/// @notice A pool of two coins of 18 decimals that trades at par without a fee, until a test tells it to lie: it holds
/// itself to no minimum, and what it quotes is not what it does.
contract LyingCurvePool {
    enum Estimate {
        HONEST,
        FAILS,
        SHORT
    }

    error Mute();

    uint256 private constant BPS = 10_000;

    address[2] public coins;
    IOpenToken private immutable LP;

    /// What it mints and pays of what is due.
    uint256 public mintBps = BPS;
    uint256 public payBps = BPS;
    /// For fewer LP tokens than this it quotes nothing: the quote is not concave, as every real one is.
    uint256 public quotesFrom;
    Estimate public estimate;

    constructor(address[2] memory coins_, IOpenToken lp) {
        coins = coins_;
        LP = lp;
    }

    function setMint(uint256 bps) external {
        mintBps = bps;
    }

    function setPay(uint256 bps) external {
        payBps = bps;
    }

    function setQuotesFrom(uint256 lp) external {
        quotesFrom = lp;
    }

    function setEstimate(Estimate estimate_) external {
        estimate = estimate_;
    }

    function balances(uint256 i) external view returns (uint256) {
        return IERC20(coins[i]).balanceOf(address(this));
    }

    function fee() external pure returns (uint256) {
        return 0;
    }

    function get_virtual_price() external pure returns (uint256) {
        return 1e18;
    }

    function calc_withdraw_one_coin(uint256 lp, int128) external view returns (uint256) {
        return lp < quotesFrom ? 0 : lp;
    }

    function calc_token_amount(uint256[2] calldata amounts, bool) external view returns (uint256) {
        require(estimate != Estimate.FAILS, Mute());
        if (estimate == Estimate.SHORT) {
            assembly ("memory-safe") {
                mstore(0, not(0))
                return(0, 31)
            }
        }
        return amounts[0] + amounts[1];
    }

    function add_liquidity(uint256[2] calldata amounts, uint256) external {
        for (uint256 i; i < 2; ++i) {
            if (amounts[i] != 0) IERC20(coins[i]).transferFrom(msg.sender, address(this), amounts[i]);
        }
        LP.mint(msg.sender, (amounts[0] + amounts[1]) * mintBps / BPS);
    }

    function remove_liquidity_one_coin(uint256 lp, int128 i, uint256) external {
        LP.burn(msg.sender, lp);
        IERC20(coins[uint128(i)]).transfer(msg.sender, lp * payBps / BPS);
    }
}
