// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {BoundedCall} from "contracts/common/BoundedCall.sol";
import {EmergencyTarget} from "contracts/safety/EmergencyTarget.sol";
import {ICapitalRouter} from "interfaces/capital/ICapitalRouter.sol";
import {ISwapVenue} from "interfaces/capital/ISwapVenue.sol";
import {IYieldHarvester} from "interfaces/capital/IYieldHarvester.sol";
import {EmergencyState} from "interfaces/safety/IEmergencyTarget.sol";
import {IPriceOracle} from "interfaces/safety/IPriceOracle.sol";
import {IStrategy} from "interfaces/strategies/IStrategy.sol";

/// @title YieldHarvester
/// @notice Makes yield out of rewards, strategy by strategy; none of them can stop the others or sell below the
/// oracle's bound.
contract YieldHarvester is IYieldHarvester, EmergencyTarget, AccessManaged, ReentrancyGuard {
    using SafeERC20 for IERC20;

    uint256 private constant BPS = 10_000;
    /// @dev Loosest slippage that governance may set.
    uint256 private constant MAX_SLIPPAGE_BPS = 1_000;
    /// @dev Least gas for one strategy, so that a stingy caller cannot make healthy strategies look failed.
    uint256 private constant GAS_FLOOR = 500_000;
    /// @dev Kept back per strategy for what follows its call.
    uint256 private constant GAS_RESERVE = 40_000;
    uint256 private constant MAX_REWARD_TOKENS = 8;
    uint256 private constant MAX_REASON = 256;

    ICapitalRouter private immutable ROUTER;
    IERC20 private immutable ASSET;
    IPriceOracle private immutable ORACLE;

    mapping(address token => Route) private _routes;
    /// @inheritdoc IYieldHarvester
    mapping(address strategy => mapping(address token => uint256)) public pending;
    /// @dev Of each token, what is attributed to some strategy: anything above came in since.
    mapping(address token => uint256) private _attributed;

    modifier onlySelf() {
        require(msg.sender == address(this), OnlySelf());
        _;
    }

    constructor(address router_, address oracle_, address authority_, address gate)
        EmergencyTarget(gate)
        AccessManaged(authority_)
    {
        require(router_ != address(0) && oracle_ != address(0) && gate != address(0), ZeroAddress());
        ROUTER = ICapitalRouter(router_);
        ASSET = IERC20(ICapitalRouter(router_).asset());
        ORACLE = IPriceOracle(oracle_);
    }

    // ---- keeper ----

    /// @inheritdoc IYieldHarvester
    function harvest(address[] calldata strategies)
        external
        restricted
        nonReentrant
        returns (uint256[] memory harvested)
    {
        _requireAtMost(EmergencyState.THROTTLED);
        harvested = new uint256[](strategies.length);
        for (uint256 i; i < strategies.length; ++i) {
            uint256 gasPart = gasleft() / (strategies.length - i);
            require(gasPart >= GAS_FLOOR + GAS_RESERVE, GasBelowFloor(gasPart, GAS_FLOOR + GAS_RESERVE));
            (bool success, bytes memory result) = BoundedCall.tryCall(
                address(this),
                gasPart - GAS_RESERVE,
                abi.encodeCall(this.harvestOne, (msg.sender, strategies[i])),
                MAX_REASON
            );
            if (success) harvested[i] = abi.decode(result, (uint256));
            else emit HarvestFailed(msg.sender, strategies[i], result);
        }
    }

    // ---- governance ----

    /// @inheritdoc IYieldHarvester
    function setRoute(address token, address venue, uint16 maxSlippageBps) external restricted {
        require(token != address(0), ZeroAddress());
        require(maxSlippageBps <= MAX_SLIPPAGE_BPS, SlippageTooLoose(maxSlippageBps, MAX_SLIPPAGE_BPS));
        address previous = _routes[token].venue;
        _routes[token] = Route({venue: venue, maxSlippageBps: maxSlippageBps});
        emit RouteSet(msg.sender, token, previous, venue, maxSlippageBps);
    }

    // ---- own calls, each a unit that fails alone ----

    /// @notice Only this contract: harvests one strategy for the keeper `by`.
    function harvestOne(address by, address strategy) external onlySelf returns (uint256 harvested) {
        uint256 proceeds = _collect(strategy);
        if (proceeds != 0) {
            ASSET.forceApprove(address(ROUTER), proceeds);
            ROUTER.receiveYield(strategy, proceeds);
        }
        (uint256 gain, uint256 loss) = ROUTER.processReport(strategy);
        emit Harvested(by, strategy, gain, loss, proceeds);
        return gain + proceeds;
    }

    /// @notice Only this contract: sells all of `strategy`'s waiting `token`.
    function sellOne(address strategy, address token) external onlySelf returns (uint256 proceeds) {
        uint256 amount = pending[strategy][token];
        Route memory route = _routes[token];
        require(route.venue != address(0), NoRoute(token));
        uint256 worth = ORACLE.convertDown(token, address(ASSET), amount);
        uint256 minimum = Math.mulDiv(worth, BPS - route.maxSlippageBps, BPS, Math.Rounding.Ceil);
        require(minimum != 0, WorthNothing(token, amount));

        uint256 tokenBefore = IERC20(token).balanceOf(address(this));
        uint256 assetBefore = ASSET.balanceOf(address(this));
        IERC20(token).forceApprove(route.venue, amount);
        // Proceeds are measured, not believed; only harvest, which is nonReentrant, gets here.
        // slither-disable-next-line reentrancy-balance,reentrancy-no-eth,unused-return
        ISwapVenue(route.venue).sell(token, address(ASSET), amount, minimum, address(this));
        IERC20(token).forceApprove(route.venue, 0);
        proceeds = ASSET.balanceOf(address(this)) - assetBefore;
        require(proceeds >= minimum, Underpaid(proceeds, minimum));

        uint256 spent = tokenBefore - IERC20(token).balanceOf(address(this));
        pending[strategy][token] = amount - spent;
        _attributed[token] -= spent;
        emit RewardSold(strategy, token, spent, proceeds, minimum);
    }

    // ---- views ----

    /// @inheritdoc IYieldHarvester
    function router() external view returns (address) {
        return address(ROUTER);
    }

    /// @inheritdoc IYieldHarvester
    function oracle() external view returns (address) {
        return address(ORACLE);
    }

    /// @inheritdoc IYieldHarvester
    function routeOf(address token) external view returns (Route memory) {
        return _routes[token];
    }

    // ---- internals ----

    /// @dev Claims `strategy`'s rewards and sells what can be sold; returns assets that are now here.
    function _collect(address strategy) private returns (uint256 proceeds) {
        address[] memory tokens = _rewardTokens(strategy);
        if (tokens.length == 0) return 0;
        (bool success, bytes memory reason) = BoundedCall.tryCall(
            strategy, gasleft() / 2, abi.encodeCall(IStrategy.claimRewards, (address(this))), MAX_REASON
        );
        if (!success) emit ClaimFailed(strategy, reason);

        for (uint256 i; i < tokens.length; ++i) {
            address token = tokens[i];
            uint256 balance = IERC20(token).balanceOf(address(this));
            // What came in counts, not what the strategy says; a token listed twice has nothing left the second time.
            uint256 received = Math.saturatingSub(balance, token == address(ASSET) ? proceeds : _attributed[token]);
            if (received != 0) emit RewardClaimed(strategy, token, received);
            if (token == address(ASSET)) {
                proceeds += received;
                continue;
            }
            _attributed[token] += received;
            pending[strategy][token] += received;
            proceeds += _trySell(strategy, token);
        }
    }

    /// @dev What cannot be sold at its minimum is kept; returns 0 then.
    function _trySell(address strategy, address token) private returns (uint256 proceeds) {
        uint256 amount = pending[strategy][token];
        if (amount == 0) return 0;
        (bool success, bytes memory result) = BoundedCall.tryCall(
            address(this), gasleft() / 2, abi.encodeCall(this.sellOne, (strategy, token)), MAX_REASON
        );
        if (success) return abi.decode(result, (uint256));
        emit RewardKept(strategy, token, amount, result);
    }

    /// @dev A foreign vault does not know the question: no answer, or one that is not a list of addresses, means no
    /// rewards.
    function _rewardTokens(address strategy) private view returns (address[] memory tokens) {
        (bool success, bytes memory data) = BoundedCall.tryStaticCall(
            strategy, gasleft() / 4, abi.encodeCall(IStrategy.rewardTokens, ()), 64 + 32 * MAX_REWARD_TOKENS
        );
        if (!success || data.length < 64) return tokens;
        uint256[2] memory shape = abi.decode(data, (uint256[2]));
        if (shape[0] != 32 || shape[1] > MAX_REWARD_TOKENS || data.length < 64 + 32 * shape[1]) return tokens;
        for (uint256 i; i < shape[1]; ++i) {
            uint256 word;
            // Word i of the list, which begins after offset and length.
            assembly ("memory-safe") {
                word := mload(add(add(data, 0x60), mul(i, 0x20)))
            }
            if (word >> 160 != 0) return new address[](0);
        }
        return abi.decode(data, (address[]));
    }
}
