// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BoundedRead} from "contracts/safety/lib/BoundedRead.sol";
import {IPriceAdapter} from "interfaces/safety/IPriceAdapter.sol";
import {ITwapPool} from "interfaces/safety/ITwapPool.sol";

/// @title Price of a token by a pool's truncated mean, as a sanity bound
/// @notice A pool can be pushed by whoever pays for it, so this never belongs among the feeds of a median.
contract PoolTwapAdapter is IPriceAdapter {
    uint256 private constant POOL_GAS = 170_000;
    uint256 private constant QUOTE_GAS = 150_000;
    uint256 private constant MAX_DECIMALS = 36;
    uint256 private constant MIN_PERIOD = 5 minutes;
    uint256 private constant ONE_X128 = 1 << 128;

    /// @inheritdoc IPriceAdapter
    address public immutable source;
    /// The token that is priced.
    address public immutable token;
    /// Prices the pool's other token.
    IPriceAdapter public immutable quote;
    /// Seconds of the mean.
    uint32 public immutable period;
    bool private immutable _tokenIs0;
    uint256 private immutable _oneToken;
    uint256 private immutable _oneQuote;
    /// @inheritdoc IPriceAdapter
    string public description;

    constructor(address pool, address token_, IPriceAdapter quote_, uint32 period_, string memory description_) {
        (address token0, address token1) = (ITwapPool(pool).token0(), ITwapPool(pool).token1());
        if ((token_ != token0 && token_ != token1) || period_ < MIN_PERIOD) revert BadSource(pool);
        uint256 tokenDecimals = IERC20Metadata(token_).decimals();
        uint256 quoteDecimals = IERC20Metadata(token_ == token0 ? token1 : token0).decimals();
        if (tokenDecimals > MAX_DECIMALS || quoteDecimals > MAX_DECIMALS) revert BadSource(pool);
        source = pool;
        token = token_;
        quote = quote_;
        period = period_;
        _tokenIs0 = token_ == token0;
        _oneToken = 10 ** tokenDecimals;
        _oneQuote = 10 ** quoteDecimals;
        description = description_;
    }

    /// @inheritdoc IPriceAdapter
    function read() external view returns (uint256) {
        // Both reads get all of their gas, or neither is made.
        if (!BoundedRead.hasGas(POOL_GAS + QUOTE_GAS)) return 0;
        (bool ok, uint256[] memory words) =
            BoundedRead.read(source, POOL_GAS, abi.encodeCall(ITwapPool.twap, (period)), 2);
        if (!ok || words[1] == 0) return 0;
        uint256 priceX128 = words[1];

        (ok, words) = BoundedRead.read(address(quote), QUOTE_GAS, abi.encodeCall(IPriceAdapter.read, ()), 1);
        if (!ok || words[0] == 0 || words[0] > type(uint128).max) return 0;

        uint256 usd;
        if (_tokenIs0) {
            // price · quote USD · 10^token / (2^128 · 10^quote)
            (ok, usd) = _tryMulDiv(priceX128, words[0] * _oneToken, ONE_X128 * _oneQuote);
        } else {
            // quote USD · 2^128 · 10^token / (price · 10^quote)
            (ok, usd) = _tryMulDiv(ONE_X128 * _oneToken, words[0], priceX128);
            usd /= _oneQuote;
        }
        return ok && usd <= type(uint128).max ? usd : 0;
    }

    function _tryMulDiv(uint256 a, uint256 b, uint256 divisor) private pure returns (bool, uint256) {
        // Only the high word tells whether the product overflows.
        // slither-disable-next-line unused-return
        (uint256 high,) = Math.mul512(a, b);
        return high < divisor ? (true, Math.mulDiv(a, b, divisor)) : (false, 0);
    }
}
