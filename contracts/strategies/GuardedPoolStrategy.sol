// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IGuardedPool} from "interfaces/amm/IGuardedPool.sol";
import {ILiquidityToken} from "interfaces/amm/ILiquidityToken.sol";
import {EmergencyState} from "interfaces/safety/IEmergencyTarget.sol";
import {IGuardedPoolStrategy} from "interfaces/strategies/IGuardedPoolStrategy.sol";
import {IStrategy} from "interfaces/strategies/IStrategy.sol";
import {ITwoTokenStrategy} from "interfaces/strategies/ITwoTokenStrategy.sol";

import {Strategy} from "./Strategy.sol";
import {TwoTokenStrategy} from "./TwoTokenStrategy.sol";

/// @title Liquidity in a GuardedPool
/// @notice See IGuardedPoolStrategy. Neither reserves pushed within a block nor the spot price move its worth.
/// @dev x·p + y ≥ 2·√(x·y·p) whatever the spot: liquidity that is burned never yields less, at the average price, than
/// was counted for it.
contract GuardedPoolStrategy is TwoTokenStrategy, IGuardedPoolStrategy {
    using SafeERC20 for IERC20;
    using Math for uint256;

    uint256 private constant ONE_X128 = 1 << 128;
    uint256 private constant MIN_PERIOD = 5 minutes;
    uint256 private constant MAX_DEVIATION_BPS = 1_000;
    uint256 private constant ANY_FEE = 1_000_000;

    IGuardedPool private immutable POOL;
    uint32 private immutable PERIOD;
    uint16 private immutable DEVIATION_BPS;

    constructor(address router_, Config memory config_, address authority_, address gate)
        Strategy(router_, authority_, gate, "Breakwater Guarded Pool", "bwGuardedPool")
        TwoTokenStrategy(config_.pool, config_.oracle, config_.venue, config_.maxSlippageBps)
    {
        require(
            config_.twapPeriod >= MIN_PERIOD && config_.maxDeviationBps != 0
                && config_.maxDeviationBps <= MAX_DEVIATION_BPS,
            InvalidConfig()
        );
        POOL = IGuardedPool(config_.pool);
        PERIOD = config_.twapPeriod;
        DEVIATION_BPS = config_.maxDeviationBps;
    }

    // ---- keeper ----

    /// @inheritdoc IGuardedPoolStrategy
    function invest(uint256 assets, uint256 toSell) external restricted nonReentrant returns (uint256 poolShares) {
        _requireAtMost(EmergencyState.NORMAL);
        (bool calm, uint256 spot, uint256 mean) = _market();
        require(calm, NotCalm(spot, mean));
        // What does not lie here cannot be put to work, and must not widen the bound of the cost.
        assets = Math.min(assets, _idle());
        uint256 before = _holdings();
        // Zero is where it starts.
        // slither-disable-next-line uninitialized-local
        uint256 bought;
        if (toSell != 0) {
            IERC20(asset()).forceApprove(address(POOL), toSell);
            // invest is nonReentrant, and its cost is bounded by holdings before and after.
            // slither-disable-next-line reentrancy-balance
            bought = POOL.swapExactIn(ASSET_IS_0, toSell, 0, address(this), ANY_FEE, block.timestamp);
        }
        (uint256 max0, uint256 max1) = _sorted(assets - toSell, _idleOther());
        IERC20(asset()).forceApprove(address(POOL), assets - toSell);
        OTHER.forceApprove(address(POOL), _idleOther());
        // invest is nonReentrant, and its cost is bounded by holdings before and after, not by what the pool says.
        // slither-disable-next-line reentrancy-balance,unused-return
        (poolShares,,) = POOL.mint(max0, max1, 0, block.timestamp);
        IERC20(asset()).forceApprove(address(POOL), 0);
        OTHER.forceApprove(address(POOL), 0);
        // Both sides at the average price, which this transaction does not move: so it bounds every way to lose.
        uint256 cost = before.saturatingSub(_holdings());
        uint256 limit = assets.mulDiv(SLIPPAGE_BPS, BPS);
        require(cost <= limit, CostTooHigh(cost, limit));
        _spendBudget(before, cost);
        emit Invested(msg.sender, toSell, bought, poolShares, cost);
    }

    /// @inheritdoc IStrategy
    function claimRewards(address receiver)
        external
        restricted
        nonReentrant
        returns (address[] memory tokens, uint256[] memory amounts)
    {
        emit RewardsClaimed(msg.sender, receiver, tokens, amounts);
    }

    // ---- views ----

    /// @inheritdoc IStrategy
    function rewardTokens() external pure returns (address[] memory) {
        return new address[](0);
    }

    /// @inheritdoc IGuardedPoolStrategy
    function config() external view returns (Config memory) {
        return Config({
            pool: address(POOL),
            oracle: address(ORACLE),
            venue: address(VENUE),
            twapPeriod: PERIOD,
            maxDeviationBps: DEVIATION_BPS,
            maxSlippageBps: SLIPPAGE_BPS
        });
    }

    /// @inheritdoc IGuardedPoolStrategy
    function position() external view returns (uint256 poolShares, uint256 mature) {
        return (_poolShares(), _mature());
    }

    /// @inheritdoc IGuardedPoolStrategy
    function meanPriceX128() public view returns (uint256 priceX128) {
        priceX128 = _tryMean();
        require(priceX128 != 0, TwapUnavailable());
    }

    /// @inheritdoc ITwoTokenStrategy
    function isCalm() external view returns (bool calm) {
        (calm,,) = _market();
    }

    // ---- what the bases ask ----

    function _holdings() internal view override returns (uint256) {
        uint256 idle = _idle();
        uint256 other = _idleOther();
        uint256 poolShares = _poolShares();
        if (other != 0) idle += _quoteOther(other);
        // Without pool shares the tokens alone are the value; more only adds to it.
        // slither-disable-next-line incorrect-equality
        return poolShares == 0 ? idle : idle + _fairWorth(poolShares);
    }

    function _quoteOther(uint256 amount) internal view override returns (uint256) {
        uint256 price = meanPriceX128();
        return ASSET_IS_0 ? amount.mulDiv(ONE_X128, price) : amount.mulDiv(price, ONE_X128);
    }

    function _room() internal view override returns (uint256) {
        (bool calm,,) = _market();
        return calm && POOL.emergencyState() == EmergencyState.NORMAL ? type(uint128).max : 0;
    }

    function _liquidity() internal view override returns (uint256 liquid) {
        liquid = _idle();
        (bool calm,,) = _market();
        uint256 mature = _mature();
        if (!calm || mature == 0 || POOL.emergencyState() == EmergencyState.FROZEN) return liquid;
        (uint256 inAsset,) = _burnQuote(mature);
        liquid += inAsset;
    }

    /// @dev Capital waits as the asset: what turns it into liquidity trades, and that is the keeper's to bound.
    function _put(uint256) internal override {}

    function _take(uint256 assets, uint256) internal override {
        uint256 idle = _idle();
        // More than that can be asked for only while the market is calm: `_liquidity` bounds every exit.
        if (idle >= assets) return;
        uint256 mature = _mature();
        (uint256 inAsset,) = _burnQuote(mature);
        // Rounded up, it holds at least what is missing; if all of it does not, the division or the pool reverts.
        _burnPoolShares(mature.mulDiv(assets - idle, inAsset, Math.Rounding.Ceil));
    }

    function _takeOutPart(uint256 shares, uint256 whole) internal override returns (uint256, uint256) {
        return _burnPoolShares(_poolShares().mulDiv(shares, whole));
    }

    function _takeOutAll() internal override {
        _burnPoolShares(_mature());
    }

    // ---- internals ----

    function _burnPoolShares(uint256 poolShares) private returns (uint256 inAsset, uint256 inOther) {
        // The pool rejects a burn of nothing.
        // slither-disable-next-line incorrect-equality
        if (poolShares == 0) return (0, 0);
        (uint256 amount0, uint256 amount1) = POOL.burn(poolShares, 0, 0, address(this), block.timestamp);
        return _sorted(amount0, amount1);
    }

    /// @dev 2·√(amount of one · amount of the other · price) in the asset.
    function _fairWorth(uint256 poolShares) private view returns (uint256) {
        (uint256 amount0, uint256 amount1) = _amounts(poolShares);
        uint256 price = meanPriceX128();
        uint256 product = 4 * amount0 * amount1;
        return Math.sqrt(ASSET_IS_0 ? product.mulDiv(ONE_X128, price) : product.mulDiv(price, ONE_X128));
    }

    /// @dev A frozen pool quotes no burn: then what the protocol is still owed of the last fees is left in.
    function _amounts(uint256 poolShares) private view returns (uint256 amount0, uint256 amount1) {
        if (POOL.emergencyState() != EmergencyState.FROZEN) return POOL.quoteBurn(poolShares);
        (uint256 reserve0, uint256 reserve1) = POOL.getReserves();
        uint256 supply = ILiquidityToken(address(POOL)).totalSupply();
        return (reserve0.mulDiv(poolShares, supply), reserve1.mulDiv(poolShares, supply));
    }

    function _burnQuote(uint256 poolShares) private view returns (uint256 inAsset, uint256 inOther) {
        (uint256 amount0, uint256 amount1) = POOL.quoteBurn(poolShares);
        return _sorted(amount0, amount1);
    }

    function _poolShares() private view returns (uint256) {
        return ILiquidityToken(address(POOL)).balanceOf(address(this));
    }

    function _mature() private view returns (uint256) {
        return ILiquidityToken(address(POOL)).matureBalanceOf(address(this));
    }

    /// @dev Never calm while the pool's memory is too short, nor in the middle of a call of the pool.
    function _market() private view returns (bool calm, uint256 spot, uint256 mean) {
        mean = _tryMean();
        try POOL.getReserves() returns (uint256 reserve0, uint256 reserve1) {
            spot = reserve1.mulDiv(ONE_X128, reserve0);
            uint256 apart = spot > mean ? spot - mean : mean - spot;
            calm = mean != 0 && apart <= mean.mulDiv(DEVIATION_BPS, BPS);
        } catch {}
    }

    function _tryMean() private view returns (uint256) {
        // The average that is not truncated is not needed here.
        // slither-disable-next-line unused-return
        try POOL.twap(PERIOD) returns (uint256, uint256 truncated) {
            return truncated;
        } catch {
            return 0;
        }
    }
}
