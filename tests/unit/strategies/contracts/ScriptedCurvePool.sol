// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

interface ILiquidity {
    function mint(address to, uint256 amount) external;
    function burn(address from, uint256 amount) external;
}

/// @notice A pool of any coins that answers, mints and pays to the unit what a test told it to. Unless told otherwise it
/// trades at its rate, in 1e18 of the coin's units per LP token, and does what it quotes.
contract ScriptedCurvePool {
    struct Script {
        bool told;
        uint256 amount;
    }

    /// What the last removal of one coin was asked for.
    event Removed(uint256 lp, int128 place, uint256 least);

    error Mute();

    uint256 private constant WAD = 1e18;

    address[] public coins;
    uint256[] public balances;
    ILiquidity private immutable LP;
    uint256 public rate;
    uint256 public fee;
    uint256 public get_virtual_price;
    /// Above these it quotes and estimates nothing.
    uint256 public quotesTo = type(uint256).max;
    uint256 public estimatesTo = type(uint256).max;
    bool public pays = true;

    mapping(uint256 lp => Script) private _quotes;
    mapping(uint256 assets => Script) private _estimates;
    Script private _mint;
    Script private _pay;

    constructor(address[] memory coins_, ILiquidity lp, uint256 rate_, uint256 price) {
        coins = coins_;
        balances = new uint256[](coins_.length);
        LP = lp;
        (rate, get_virtual_price) = (rate_, price);
    }

    function setBalances(uint256[] calldata balances_) external {
        balances = balances_;
    }

    function setRate(uint256 rate_) external {
        rate = rate_;
    }

    function setFee(uint256 fee_) external {
        fee = fee_;
    }

    function setPrice(uint256 price) external {
        get_virtual_price = price;
    }

    function setQuotesTo(uint256 lp) external {
        quotesTo = lp;
    }

    function setEstimatesTo(uint256 assets) external {
        estimatesTo = assets;
    }

    function setPays(bool pays_) external {
        pays = pays_;
    }

    function setQuote(uint256 lp, uint256 paid) external {
        _quotes[lp] = Script(true, paid);
    }

    function setEstimate(uint256 assets, uint256 lp) external {
        _estimates[assets] = Script(true, lp);
    }

    function setMint(uint256 lp) external {
        _mint = Script(true, lp);
    }

    function setPay(uint256 assets) external {
        _pay = Script(true, assets);
    }

    function calc_withdraw_one_coin(uint256 lp, int128) public view returns (uint256) {
        if (_quotes[lp].told) return _quotes[lp].amount;
        return lp > quotesTo ? 0 : lp * rate / WAD;
    }

    function calc_token_amount(uint256[2] calldata amounts, bool) external view returns (uint256) {
        return _estimate(amounts[0] + amounts[1]);
    }

    function calc_token_amount(uint256[3] calldata amounts, bool) external view returns (uint256) {
        return _estimate(amounts[0] + amounts[1] + amounts[2]);
    }

    function add_liquidity(uint256[2] calldata amounts, uint256) external {
        for (uint256 i; i < 2; ++i) {
            _add(i, amounts[i]);
        }
    }

    function add_liquidity(uint256[3] calldata amounts, uint256) external {
        for (uint256 i; i < 3; ++i) {
            _add(i, amounts[i]);
        }
    }

    function remove_liquidity(uint256, uint256[2] calldata) external {}

    function remove_liquidity(uint256, uint256[3] calldata) external {}

    function remove_liquidity_one_coin(uint256 lp, int128 i, uint256 least) external {
        require(pays, Mute());
        uint256 paid = _pay.told ? _pay.amount : calc_withdraw_one_coin(lp, i);
        LP.burn(msg.sender, lp);
        IERC20(coins[uint128(i)]).transfer(msg.sender, paid);
        emit Removed(lp, i, least);
    }

    function _estimate(uint256 assets) private view returns (uint256) {
        if (_estimates[assets].told) return _estimates[assets].amount;
        return assets > estimatesTo ? 0 : assets * WAD / rate;
    }

    function _add(uint256 i, uint256 amount) private {
        if (amount == 0) return;
        IERC20(coins[i]).transferFrom(msg.sender, address(this), amount);
        LP.mint(msg.sender, _mint.told ? _mint.amount : amount * WAD / rate);
    }
}
