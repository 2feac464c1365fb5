// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {TokenBucket} from "contracts/safety/lib/TokenBucket.sol";
import {BoundedRead} from "contracts/safety/lib/BoundedRead.sol";
import {Median} from "contracts/safety/lib/Median.sol";
import {Meter} from "contracts/safety/lib/Meter.sol";
import {IBreakerTarget} from "interfaces/safety/IBreakerTarget.sol";
import {ICircuitBreaker} from "interfaces/safety/ICircuitBreaker.sol";
import {EmergencyState, IEmergencyTarget} from "interfaces/safety/IEmergencyTarget.sol";
import {IPriceAdapter} from "interfaces/safety/IPriceAdapter.sol";

/// @notice Reads of it fail in every way that a hostile contract's can, once it is told to.
abstract contract Misbehaving {
    enum Mode {
        HONEST,
        REVERT,
        BURN,
        SHORT,
        BOMB,
        TOO_LARGE,
        /// Answers, once nearly all of its gas is spent.
        SLOW,
        /// Answers with the gas that it has left.
        TELL
    }

    uint256 private constant SPARED = 5_000;

    Mode public mode;
    uint256 private immutable _bombBytes;

    constructor(uint256 bombBytes) {
        _bombBytes = bombBytes;
    }

    function arm(Mode mode_) external {
        mode = mode_;
    }

    function _misbehave() internal view {
        require(mode != Mode.REVERT, "is down");
        if (mode == Mode.BURN) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        if (mode == Mode.SLOW) {
            // Few instructions and much gas: a test may have to trace them all.
            assembly ("memory-safe") {
                for {} gt(gas(), SPARED) {} { mstore(0, keccak256(0, 0x2000)) }
            }
        }
        if (mode == Mode.SHORT) {
            assembly ("memory-safe") {
                return(0, 31)
            }
        }
        if (mode == Mode.BOMB) {
            uint256 size = _bombBytes;
            assembly ("memory-safe") {
                mstore(0, not(0))
                return(0, size)
            }
        }
    }
}

/// @notice A double of a router: one asset, books that anyone writes, exits with and without the meter.
contract WatchedTarget is IEmergencyTarget, IBreakerTarget, Misbehaving {
    address public immutable emergencyGate;
    address public immutable asset;
    ICircuitBreaker public immutable breaker;
    EmergencyState public emergencyState;
    uint256 public price = 1e18;
    uint256 public accounted;

    constructor(address gate, address asset_, ICircuitBreaker breaker_) Misbehaving(1_000_000) {
        emergencyGate = gate;
        asset = asset_;
        breaker = breaker_;
    }

    function setPrice(uint256 price_) external {
        price = price_;
    }

    function setAccounted(uint256 accounted_) external {
        accounted = accounted_;
    }

    function setEmergencyState(EmergencyState state) external {
        if (msg.sender != emergencyGate) revert NotEmergencyGate(msg.sender);
        emit EmergencyStateSet(msg.sender, emergencyState, state);
        emergencyState = state;
    }

    /// It writes a slot of its own, as any exit does; the difference is the meter's cost alone.
    function exit(uint256 assets, bool metered) public {
        if (metered) Meter.outflow(breaker, asset, assets);
        accounted -= assets;
    }

    function exitMetered(uint256 assets) external {
        exit(assets, true);
    }

    function enter(uint256 assets) external {
        Meter.inflow(breaker, asset, assets);
        accounted += assets;
    }

    /// A flash loan's round trips inside one transaction: each (in, out) pair, or (out, in) if `outFirst`.
    function roundTrips(uint256 assets, uint256 count, bool outFirst) external {
        for (uint256 i; i < count; ++i) {
            if (outFirst) breaker.onOutflow(asset, assets);
            breaker.onInflow(asset, assets);
            if (!outFirst) breaker.onOutflow(asset, assets);
        }
    }

    function sharePriceWad() external view returns (uint256) {
        _misbehave();
        return mode == Mode.TELL ? gasleft() : price;
    }

    function holdings() external view returns (address, uint256, uint256) {
        _misbehave();
        return (asset, accounted, IERC20(asset).balanceOf(address(this)));
    }
}

/// @notice A double of a price adapter that keeps none of its promises unless told to.
contract AdapterDouble is IPriceAdapter, Misbehaving {
    address public immutable source;
    string public constant description = "double";
    uint256 public answer;

    constructor(address source_, uint256 answer_) Misbehaving(100_000) {
        source = source_;
        answer = answer_;
    }

    function setAnswer(uint256 answer_) external {
        answer = answer_;
    }

    function read() external view returns (uint256) {
        _misbehave();
        if (mode == Mode.TELL) return gasleft();
        return mode == Mode.TOO_LARGE ? 1 << 128 : answer;
    }
}

/// @notice A double of an ERC-4626 vault's rate: what a share of it is worth, set by anyone.
contract RateVaultDouble is Misbehaving {
    address public immutable asset;
    uint8 public immutable decimals;
    uint256 public assetsPerShare;

    constructor(address asset_, uint8 decimals_, uint256 assetsPerShare_) Misbehaving(100_000) {
        asset = asset_;
        decimals = decimals_;
        assetsPerShare = assetsPerShare_;
    }

    function setRate(uint256 assetsPerShare_) external {
        assetsPerShare = assetsPerShare_;
    }

    function convertToAssets(uint256 shares) external view returns (uint256) {
        _misbehave();
        return shares * assetsPerShare / 10 ** decimals;
    }
}

/// @notice A double of a pool's truncated mean price.
contract TwapPoolDouble is Misbehaving {
    address public immutable token0;
    address public immutable token1;
    uint256 public priceX128;
    bool public young;

    constructor(address token0_, address token1_, uint256 priceX128_) Misbehaving(100_000) {
        token0 = token0_;
        token1 = token1_;
        priceX128 = priceX128_;
    }

    function setPrice(uint256 priceX128_) external {
        priceX128 = priceX128_;
    }

    function setYoung(bool young_) external {
        young = young_;
    }

    function twap(uint32) external view returns (uint256, uint256) {
        _misbehave();
        require(!young, "too young");
        // The plain mean is nonsense on purpose: only the truncated one may be read.
        return (type(uint256).max, priceX128);
    }
}

/// @notice The libraries' internal functions, to be called from outside.
contract SafetyLibraries {
    function hasGas(uint256 gasCap) external view returns (bool) {
        return BoundedRead.hasGas(gasCap);
    }

    function inBounds(uint256 limit, uint256 window) external pure returns (bool) {
        return TokenBucket.inBounds(limit, window);
    }

    function create(uint256 limit, uint256 window, uint256 timestamp) external pure returns (uint256) {
        return TokenBucket.create(limit, window, timestamp);
    }

    function resize(uint256 bucket, uint256 limit, uint256 window, uint256 timestamp) external pure returns (uint256) {
        return TokenBucket.resize(bucket, limit, window, timestamp);
    }

    function take(uint256 bucket, uint256 assets, uint256 timestamp) external pure returns (uint256) {
        return TokenBucket.take(bucket, assets, timestamp);
    }

    function give(uint256 bucket, uint256 assets, uint256 timestamp) external pure returns (uint256) {
        return TokenBucket.give(bucket, assets, timestamp);
    }

    function bucketView(uint256 bucket, uint256 timestamp)
        external
        pure
        returns (uint256 limit, uint256 window, uint256 held, uint256 available)
    {
        limit = TokenBucket.limitOf(bucket);
        window = TokenBucket.windowOf(bucket);
        held = TokenBucket.levelAt(bucket, timestamp);
        available = TokenBucket.available(bucket, timestamp);
    }

    function median(uint256[] memory values) external pure returns (uint256 median_, uint256 spreadBps) {
        Median.sort(values, values.length);
        median_ = Median.ofSorted(values, values.length);
        spreadBps = Median.spreadBpsUp(values, values.length, median_);
    }
}
