// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IUniswapV3Pool} from "interfaces/external/IUniswapV3Pool.sol";
import {EmergencyState} from "interfaces/safety/IEmergencyTarget.sol";
import {IStrategy} from "interfaces/strategies/IStrategy.sol";
import {ITwoTokenStrategy} from "interfaces/strategies/ITwoTokenStrategy.sol";
import {IUniswapV3Strategy} from "interfaces/strategies/IUniswapV3Strategy.sol";

import {RangeMath} from "./lib/RangeMath.sol";
import {Strategy} from "./Strategy.sol";
import {TwoTokenStrategy} from "./TwoTokenStrategy.sol";

/// @title A range order in a Uniswap V3 pool
/// @notice See IUniswapV3Strategy. Nothing that happens within one block moves its worth, since a pool's average counts
/// a price only from the next block on.
/// @dev Liquidity that is burned at any spot yields tokens worth, at the average price, at least what was counted for
/// it: the value of a position at a price is the least of what its compositions are worth there. So an exit at a spot
/// within the bound never costs those who stay; rounding aside.
contract UniswapV3Strategy is TwoTokenStrategy, IUniswapV3Strategy {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;
    using Math for uint256;

    uint256 private constant MIN_PERIOD = 5 minutes;
    uint256 private constant MAX_DEVIATION = 1_000;
    /// @dev The pool must remember one observation per block of so many seconds.
    uint256 private constant BLOCK_SECONDS = 12;

    IUniswapV3Pool private immutable POOL;
    int24 private immutable SPACING;
    uint32 private immutable PERIOD;
    int24 private immutable DEVIATION;
    int24 private immutable WIDTH;

    int24 private _lower;
    int24 private _upper;

    constructor(address router_, Config memory config_, address authority_, address gate)
        Strategy(router_, authority_, gate, "Breakwater Uniswap V3", "bwUniswapV3")
        TwoTokenStrategy(config_.pool, config_.oracle, config_.venue, config_.maxSlippageBps)
    {
        POOL = IUniswapV3Pool(config_.pool);
        SPACING = POOL.tickSpacing();
        // The rest of the tuple says nothing that is needed here.
        // slither-disable-next-line unused-return
        (,,,, uint256 remembered,,) = POOL.slot0();
        require(
            config_.twapPeriod >= MIN_PERIOD && remembered * BLOCK_SECONDS >= config_.twapPeriod
                && config_.maxDeviation != 0 && config_.maxDeviation <= MAX_DEVIATION && config_.width != 0
                && config_.width <= uint24(RangeMath.MAX_TICK) && config_.width % uint24(SPACING) == 0,
            InvalidConfig()
        );
        PERIOD = config_.twapPeriod;
        DEVIATION = int24(config_.maxDeviation);
        WIDTH = int24(config_.width);
    }

    // ---- keeper ----

    /// @inheritdoc IUniswapV3Strategy
    function reposition() external restricted nonReentrant {
        _requireAtMost(EmergencyState.NORMAL);
        // reposition is nonReentrant and restricted; the pool calls back into nothing of ours here.
        // slither-disable-next-line reentrancy-no-eth
        _takeOutAll();
        uint256 before = _holdings();
        _sellOther();
        (bool calm, int24 spot, int24 mean) = _market();
        require(calm, NotCalm(spot, mean));
        _open(spot, mean);
        uint128 liquidity = _provide(_idle());
        _spendBudget(before, before.saturatingSub(_holdings()));
        emit Repositioned(msg.sender, _lower, _upper, liquidity);
    }

    /// @inheritdoc IStrategy
    function claimRewards(address receiver)
        external
        restricted
        nonReentrant
        returns (address[] memory tokens, uint256[] memory amounts)
    {
        // What was burned is collected at once, so only fees are owed.
        // A burn of nothing only books the fees, which collect then pays.
        // slither-disable-next-line unused-return
        if (_liquidityHeld() != 0) POOL.burn(_lower, _upper, 0);
        (uint256 amount0, uint256 amount1) =
            POOL.collect(receiver, _lower, _upper, type(uint128).max, type(uint128).max);
        tokens = rewardTokens();
        amounts = new uint256[](2);
        (amounts[0], amounts[1]) = _sorted(amount0, amount1);
        emit RewardsClaimed(msg.sender, receiver, tokens, amounts);
    }

    // ---- the pool ----

    /// @inheritdoc IUniswapV3Strategy
    function uniswapV3MintCallback(uint256 amount0Owed, uint256 amount1Owed, bytes calldata) external {
        require(msg.sender == address(POOL), NotPool(msg.sender));
        // A range beside the price is made of the asset alone; a pool that wants the other token too does not get it.
        (uint256 owed,) = _sorted(amount0Owed, amount1Owed);
        IERC20(asset()).safeTransfer(msg.sender, owed);
    }

    // ---- views ----

    /// @inheritdoc IStrategy
    function rewardTokens() public view returns (address[] memory tokens) {
        tokens = new address[](2);
        (tokens[0], tokens[1]) = (asset(), address(OTHER));
    }

    /// @inheritdoc IUniswapV3Strategy
    function config() external view returns (Config memory) {
        return Config({
            pool: address(POOL),
            oracle: address(ORACLE),
            venue: address(VENUE),
            twapPeriod: PERIOD,
            maxDeviation: uint24(DEVIATION),
            width: uint24(WIDTH),
            maxSlippageBps: SLIPPAGE_BPS
        });
    }

    /// @inheritdoc IUniswapV3Strategy
    function range() external view returns (int24 lower, int24 upper, uint128 liquidity) {
        return (_lower, _upper, _liquidityHeld());
    }

    /// @inheritdoc IUniswapV3Strategy
    function meanTick() public view returns (int24 tick) {
        bool known;
        (known, tick) = _tryMeanTick();
        require(known, TwapUnavailable());
    }

    /// @inheritdoc ITwoTokenStrategy
    function isCalm() external view returns (bool calm) {
        (calm,,) = _market();
    }

    // ---- what the base asks ----

    function _holdings() internal view override returns (uint256) {
        uint256 idle = _idle();
        uint256 other = _idleOther();
        uint128 liquidity = _liquidityHeld();
        // With neither liquidity nor the other token the asset alone is the value; more only adds to it.
        // slither-disable-next-line incorrect-equality
        if (liquidity == 0 && other == 0) return idle;
        (uint256 inAsset, uint256 inOther) = _amounts(RangeMath.sqrtRatioAtTick(meanTick()), liquidity);
        return idle + inAsset + _quoteOther(other + inOther);
    }

    function _quoteOther(uint256 amount) internal view override returns (uint256) {
        return RangeMath.quoteDown(RangeMath.sqrtRatioAtTick(meanTick()), amount, !ASSET_IS_0);
    }

    function _room() internal view override returns (uint256) {
        (bool calm, int24 spot, int24 mean) = _market();
        if (!calm) return 0;
        (int24 lower, int24 upper) = (_lower, _upper);
        if (_liquidityHeld() == 0) (lower, upper) = _beside(spot, mean);
        else if (!_isOutside(lower, upper, spot, mean)) return 0;
        if (lower < -RangeMath.MAX_TICK || upper > RangeMath.MAX_TICK) return 0;
        // The rest of the tuple says nothing that is needed here.
        // slither-disable-next-line unused-return
        (uint256 grossLower,) = POOL.ticks(lower);
        // The rest of the tuple says nothing that is needed here.
        // slither-disable-next-line unused-return
        (uint256 grossUpper,) = POOL.ticks(upper);
        uint256 free = POOL.maxLiquidityPerTick() - Math.max(grossLower, grossUpper);
        (uint160 low, uint160 high) = (RangeMath.sqrtRatioAtTick(lower), RangeMath.sqrtRatioAtTick(upper));
        uint160 outside = ASSET_IS_0 ? low : high;
        (uint256 amount0, uint256 amount1) = RangeMath.amountsDown(low, high, outside, free.toUint128());
        return ASSET_IS_0 ? amount0 : amount1;
    }

    function _liquidity() internal view override returns (uint256 liquid) {
        liquid = _idle();
        (bool calm,,) = _market();
        if (calm) liquid += _assetsAtSpot(_liquidityHeld());
    }

    function _put(uint256 assets) internal override {
        (bool calm, int24 spot, int24 mean) = _market();
        require(calm, NotCalm(spot, mean));
        if (_liquidityHeld() == 0) _open(spot, mean);
        else require(_isOutside(_lower, _upper, spot, mean), InRange(spot, mean));
        _provide(assets);
    }

    function _take(uint256 assets, uint256) internal override {
        uint256 idle = _idle();
        // More than that can be asked for only while the market is calm: `_liquidity` bounds every exit.
        if (idle >= assets) return;
        uint128 liquidity = _liquidityHeld();
        // Rounded up, it holds at least what is missing; if all of it does not, the division or the pool reverts.
        _takeOut(uint256(liquidity).mulDiv(assets - idle, _assetsAtSpot(liquidity), Math.Rounding.Ceil).toUint128());
    }

    function _takeOutPart(uint256 shares, uint256 whole) internal override returns (uint256, uint256) {
        return _takeOut(uint128(uint256(_liquidityHeld()).mulDiv(shares, whole)));
    }

    function _takeOutAll() internal override {
        _takeOut(_liquidityHeld());
        _collectFees();
    }

    // ---- internals ----

    /// @dev Moves to the range beside the price; the old one holds nothing but fees.
    function _open(int24 spot, int24 mean) private {
        // Only called under the strategy's lock; fees belong to the old range and are taken before it moves.
        // slither-disable-next-line reentrancy-no-eth
        _collectFees();
        (_lower, _upper) = _beside(spot, mean);
        emit RangeOpened(msg.sender, _lower, _upper);
    }

    function _collectFees() private {
        // What is collected stays here and is counted by balance.
        // slither-disable-next-line unused-return
        POOL.collect(address(this), _lower, _upper, type(uint128).max, type(uint128).max);
    }

    /// @dev Adds what `assets` pay for; a rest too small for a unit of liquidity stays here.
    function _provide(uint256 assets) private returns (uint128 liquidity) {
        liquidity = RangeMath.liquidityDown(
                RangeMath.sqrtRatioAtTick(_lower), RangeMath.sqrtRatioAtTick(_upper), assets, ASSET_IS_0
            ).toUint128();
        // The pool takes what the liquidity costs by callback, and no more than is here.
        // slither-disable-next-line unused-return
        if (liquidity != 0) POOL.mint(address(this), _lower, _upper, liquidity, "");
    }

    function _takeOut(uint128 liquidity) private returns (uint256 outAsset, uint256 outOther) {
        // The pool rejects a burn of nothing.
        // slither-disable-next-line incorrect-equality
        if (liquidity == 0) return (0, 0);
        (uint256 amount0, uint256 amount1) = POOL.burn(_lower, _upper, liquidity);
        // What is collected stays here and is counted by balance.
        // slither-disable-next-line unused-return
        POOL.collect(address(this), _lower, _upper, amount0.toUint128(), amount1.toUint128());
        return _sorted(amount0, amount1);
    }

    /// @dev The range of the asset alone that is nearest to both prices.
    function _beside(int24 spot, int24 mean) private view returns (int24 lower, int24 upper) {
        if (ASSET_IS_0) {
            lower = (_floor((spot > mean ? spot : mean)) + 1) * SPACING;
            upper = lower + WIDTH;
        } else {
            upper = _floor(spot < mean ? spot : mean) * SPACING;
            lower = upper - WIDTH;
        }
    }

    /// @dev Whether at both prices the range holds the asset alone.
    function _isOutside(int24 lower, int24 upper, int24 spot, int24 mean) private view returns (bool) {
        return ASSET_IS_0 ? spot < lower && mean < lower : spot >= upper && mean >= upper;
    }

    function _floor(int24 tick) private view returns (int24 quotient) {
        quotient = tick / SPACING;
        if (tick < 0 && tick % SPACING != 0) --quotient;
    }

    function _amounts(uint160 price, uint128 liquidity) private view returns (uint256 inAsset, uint256 inOther) {
        if (liquidity == 0) return (0, 0);
        (uint256 amount0, uint256 amount1) = RangeMath.amountsDown(
            RangeMath.sqrtRatioAtTick(_lower), RangeMath.sqrtRatioAtTick(_upper), price, liquidity
        );
        return _sorted(amount0, amount1);
    }

    /// @dev What burning `liquidity` now yields of the asset.
    function _assetsAtSpot(uint128 liquidity) private view returns (uint256 inAsset) {
        // The rest of the tuple says nothing that is needed here.
        // slither-disable-next-line unused-return
        (uint160 price,,,,,,) = POOL.slot0();
        (inAsset,) = _amounts(price, liquidity);
    }

    function _liquidityHeld() private view returns (uint128) {
        return POOL.positions(keccak256(abi.encodePacked(address(this), _lower, _upper)));
    }

    /// @dev Never calm while the pool's memory is too short, nor in the middle of a call of the pool.
    function _market() private view returns (bool calm, int24 spot, int24 mean) {
        bool unlocked;
        // The rest of the tuple says nothing that is needed here.
        // slither-disable-next-line unused-return
        (, spot,,,,, unlocked) = POOL.slot0();
        (calm, mean) = _tryMeanTick();
        int24 apart = spot > mean ? spot - mean : mean - spot;
        calm = calm && unlocked && apart <= DEVIATION;
    }

    function _tryMeanTick() private view returns (bool, int24) {
        uint32[] memory ago = new uint32[](2);
        ago[0] = PERIOD;
        // The rest of the tuple says nothing that is needed here.
        // slither-disable-next-line unused-return
        try POOL.observe(ago) returns (int56[] memory sums, uint160[] memory) {
            int56 period = int56(uint56(PERIOD));
            int56 passed;
            // The sums wrap around, their difference does not.
            unchecked {
                passed = sums[1] - sums[0];
            }
            int56 mean = passed / period;
            if (passed < 0 && passed % period != 0) --mean;
            return (true, int24(mean));
        } catch {
            return (false, 0);
        }
    }
}
