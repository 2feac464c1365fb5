// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IRouterVault} from "interfaces/capital/IRouterVault.sol";
import {IAccessPolicy} from "interfaces/compliance/IAccessPolicy.sol";
import {ICircuitBreaker} from "interfaces/safety/ICircuitBreaker.sol";
import {IBreakerTarget} from "interfaces/safety/IBreakerTarget.sol";
import {EmergencyState, IEmergencyTarget} from "interfaces/safety/IEmergencyTarget.sol";

import {Meter} from "contracts/safety/lib/Meter.sol";

import {RouterExits} from "./RouterExits.sol";
import {RouterManager} from "./RouterManager.sol";
import {RouterStorage} from "./RouterStorage.sol";
import {DebtSlot} from "./lib/DebtSlot.sol";
import {Guarded} from "./lib/Guarded.sol";
import {HotSlot} from "./lib/HotSlot.sol";

/// @title One asset in, many ERC-4626 strategies behind it, and always a way out
/// @notice The whole interface is `ICapitalRouter`. Here: what holders call. `RouterManager` has what keeper, allocator
/// and governance call; it runs by delegatecall on this contract's storage.
contract CapitalRouter is RouterExits {
    using SafeERC20 for IERC20;
    using HotSlot for uint256;
    using DebtSlot for uint256;

    /// @inheritdoc IRouterVault
    address public immutable manager;

    /// @param manager_ A `RouterManager` deployed with the same configuration.
    constructor(Config memory config, address manager_) RouterStorage(config) {
        _name = config.name;
        _symbol = config.symbol;
        _limits.depositCap = type(uint128).max;
        _planLimits.unlockTime = 7 days;
        if (RouterManager(manager_).configuration() != _configuration()) revert InvalidManager(manager_);
        manager = manager_;
    }

    /// @dev Every selector that is not declared here belongs to the manager, whose code is fixed at construction.
    fallback() external {
        address code = manager;
        assembly ("memory-safe") {
            // return manager.delegatecall(msg.data)
            let data := mload(0x40)
            calldatacopy(data, 0, calldatasize())
            let ok := delegatecall(gas(), code, data, calldatasize(), 0, 0)
            returndatacopy(data, 0, returndatasize())
            switch ok
            case 0 { revert(data, returndatasize()) }
            default { return(data, returndatasize()) }
        }
    }

    // ---- in ----

    /// @inheritdoc IERC4626
    function deposit(uint256 assets, address receiver) external returns (uint256 shares) {
        return _deposit(assets, receiver, 0);
    }

    /// @inheritdoc IRouterVault
    function deposit(uint256 assets, address receiver, uint256 minShares) external returns (uint256 shares) {
        return _deposit(assets, receiver, minShares);
    }

    /// @inheritdoc IERC4626
    function mint(uint256 shares, address receiver) external returns (uint256 assets) {
        uint256 hot = _unlocked();
        uint256 slot = _debtSlot;
        (uint256 assets1, uint256 shares1) = _ratio(hot, slot);
        assets = _up(shares, assets1, shares1);
        _enter(hot, slot, assets, shares, receiver);
    }

    function _deposit(uint256 assets, address receiver, uint256 minShares) private returns (uint256 shares) {
        uint256 hot = _unlocked();
        uint256 slot = _debtSlot;
        (uint256 assets1, uint256 shares1) = _ratio(hot, slot);
        shares = _down(assets, shares1, assets1);
        _requireAtLeast(shares, minShares);
        _enter(hot, slot, assets, shares, receiver);
    }

    function _enter(uint256 hot, uint256 slot, uint256 assets, uint256 shares, address receiver) private {
        _requireState(hot, EmergencyState.THROTTLED);
        if (shares == 0) revert ZeroAmount();
        if (receiver == address(0) || receiver == address(this)) revert ERC20InvalidReceiver(receiver);
        uint256 room = _room(hot, slot);
        if (assets > room) revert OutOfBounds(assets, room);
        if (hot.has(HotSlot.POLICY) && !IAccessPolicy(_policy).canDeposit(msg.sender, receiver)) {
            revert DepositRefused(msg.sender, receiver);
        }

        unchecked {
            // Room keeps idle within 112 bits; shares fit 241 bits by their own multiplication.
            _hot = hot.withAmounts(hot.supply() + shares, hot.idle() + assets) | HotSlot.LOCK;
            // The supply was checked against 128 bits.
            _balances[receiver] += shares;
        }
        emit Transfer(address(0), receiver, shares);
        emit Deposit(msg.sender, receiver, assets, shares);

        if (_breaker != address(0)) Meter.inflow(ICircuitBreaker(_breaker), _asset, assets);
        uint256 before = IERC20(_asset).balanceOf(address(this));
        IERC20(_asset).safeTransferFrom(msg.sender, address(this), assets);
        uint256 actual = IERC20(_asset).balanceOf(address(this));
        if (actual != before + assets) revert AssetsArrivedDiffer(assets, actual - before);
        _hot &= ~HotSlot.LOCK;
    }

    // ---- out ----

    /// @inheritdoc IERC4626
    function withdraw(uint256 assets, address receiver, address owner) external returns (uint256 shares) {
        return _withdraw(assets, receiver, owner, type(uint256).max);
    }

    /// @inheritdoc IRouterVault
    function withdraw(uint256 assets, address receiver, address owner, uint256 maxShares)
        external
        returns (uint256 shares)
    {
        return _withdraw(assets, receiver, owner, maxShares);
    }

    /// @inheritdoc IERC4626
    function redeem(uint256 shares, address receiver, address owner) external returns (uint256 assets) {
        return _redeem(shares, receiver, owner, 0, new address[](0));
    }

    /// @inheritdoc IRouterVault
    function redeem(uint256 shares, address receiver, address owner, uint256 minAssets)
        external
        returns (uint256 assets)
    {
        return _redeem(shares, receiver, owner, minAssets, new address[](0));
    }

    /// @inheritdoc IRouterVault
    function redeem(uint256 shares, address receiver, address owner, uint256 minAssets, address[] calldata named)
        external
        returns (uint256 assets)
    {
        return _redeem(shares, receiver, owner, minAssets, named);
    }

    // ---- hooks ----

    /// @inheritdoc IRouterVault
    function setQueuedShares(uint256 shares) external {
        if (msg.sender != _queue) revert NotExitQueue(msg.sender);
        if (shares > HotSlot.MAX_SUPPLY) revert OutOfBounds(shares, HotSlot.MAX_SUPPLY);
        emit QueuedSharesSet(_limits.queuedShares, shares);
        _limits.queuedShares = uint128(shares);
        _hot = _hot.withFlag(HotSlot.QUEUE, shares != 0);
    }

    /// @inheritdoc IEmergencyTarget
    function setEmergencyState(EmergencyState state) external {
        if (msg.sender != _gate) revert NotEmergencyGate(msg.sender);
        // Works inside a call too: the brake waits for nobody.
        uint256 hot = _hot;
        emit EmergencyStateSet(msg.sender, hot.state(), state);
        _hot = hot.withState(state);
    }

    // ---- views ----

    /// @inheritdoc IERC4626
    function asset() external view returns (address) {
        return _asset;
    }

    /// @inheritdoc IERC4626
    function totalAssets() external view returns (uint256) {
        return _unlocked().idle() + _debtSlot.debt();
    }

    /// @inheritdoc IERC4626
    function convertToShares(uint256 assets) public view returns (uint256) {
        (uint256 assets1, uint256 shares1) = _ratio(_unlocked(), _debtSlot);
        return _down(assets, shares1, assets1);
    }

    /// @inheritdoc IERC4626
    function convertToAssets(uint256 shares) external view returns (uint256) {
        (uint256 assets1, uint256 shares1) = _ratio(_unlocked(), _debtSlot);
        return _down(shares, assets1, shares1);
    }

    /// @inheritdoc IERC4626
    function previewDeposit(uint256 assets) external view returns (uint256) {
        return convertToShares(assets);
    }

    /// @inheritdoc IERC4626
    function previewMint(uint256 shares) external view returns (uint256) {
        (uint256 assets1, uint256 shares1) = _ratio(_unlocked(), _debtSlot);
        return _up(shares, assets1, shares1);
    }

    /// @inheritdoc IERC4626
    function maxDeposit(address receiver) public view returns (uint256 assets) {
        uint256 hot = _hot;
        if (!_mayEnter(hot, receiver)) return 0;
        uint256 slot = _debtSlot;
        (uint256 assets1, uint256 shares1) = _ratio(hot, slot);
        assets = _room(hot, slot);
        // Most assets whose shares still fit the supply's 128 bits.
        uint256 fits = ((HotSlot.MAX_SUPPLY - hot.supply() + 1) * assets1 - 1) / shares1;
        if (fits < assets) assets = fits;
        if (_down(assets, shares1, assets1) == 0) assets = 0;
    }

    /// @inheritdoc IERC4626
    function maxMint(address receiver) external view returns (uint256 shares) {
        uint256 hot = _hot;
        if (!_mayEnter(hot, receiver)) return 0;
        uint256 slot = _debtSlot;
        (uint256 assets1, uint256 shares1) = _ratio(hot, slot);
        shares = _down(_room(hot, slot), shares1, assets1);
        uint256 fits = HotSlot.MAX_SUPPLY - hot.supply();
        if (fits < shares) shares = fits;
    }

    /// @inheritdoc IRouterVault
    function strategies() external view returns (address[] memory) {
        return _strategies;
    }

    /// @inheritdoc IRouterVault
    function exitOrder() external view returns (address[] memory) {
        return _exitOrder;
    }

    /// @inheritdoc IRouterVault
    function idle() external view returns (uint256) {
        return _hot.idle();
    }

    /// @inheritdoc IRouterVault
    function totalDebt() external view returns (uint256) {
        return _debtSlot.debt();
    }

    /// @inheritdoc IRouterVault
    function lockedShares() external view returns (uint256) {
        return _debtSlot.locked();
    }

    /// @inheritdoc IRouterVault
    function queuedShares() external view returns (uint256) {
        return _limits.queuedShares;
    }

    /// @inheritdoc IRouterVault
    function owedInKind(address strategy, address account) external view returns (uint256) {
        return _owed[strategy][account];
    }

    /// @inheritdoc IRouterVault
    function breaker() external view returns (address) {
        return _breaker;
    }

    /// @inheritdoc IEmergencyTarget
    function emergencyGate() external view returns (address) {
        return _gate;
    }

    /// @inheritdoc IEmergencyTarget
    function emergencyState() external view returns (EmergencyState) {
        return _hot.state();
    }

    /// @inheritdoc IBreakerTarget
    function sharePriceWad() external view returns (uint256) {
        uint256 hot = _unlocked();
        (uint256 assets1, uint256 shares1) = _exitRatio(hot | HotSlot.REVIEW, _debtSlot);
        return assets1 * _virtualShares * WAD / shares1;
    }

    /// @inheritdoc IBreakerTarget
    function holdings() external view returns (address asset_, uint256 accounted, uint256 actual) {
        return (_asset, _unlocked().idle(), IERC20(_asset).balanceOf(address(this)));
    }

    function _room(uint256 hot, uint256 slot) private view returns (uint256) {
        uint256 cap = HotSlot.MAX_ASSETS;
        if (hot.has(HotSlot.CAP | HotSlot.REVIEW)) {
            // Deposits at book value would bear a loss that is not theirs.
            if (hot.has(HotSlot.REVIEW)) return 0;
            cap = _limits.depositCap;
        }
        uint256 total = hot.idle() + slot.debt();
        unchecked {
            return cap > total ? cap - total : 0;
        }
    }

    function _mayEnter(uint256 hot, address receiver) private view returns (bool) {
        if (hot.has(HotSlot.LOCK) || hot.state() > EmergencyState.THROTTLED) return false;
        if (receiver == address(0) || receiver == address(this)) return false;
        if (!hot.has(HotSlot.POLICY)) return true;
        (bool ok, uint256 allowed) =
            Guarded.read(_policy, abi.encodeCall(IAccessPolicy.canDeposit, (receiver, receiver)));
        return ok && allowed == 1;
    }
}
