// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {EmergencyState} from "interfaces/safety/IEmergencyTarget.sol";
import {IStrategy} from "interfaces/strategies/IStrategy.sol";

import {EmergencyTarget} from "../safety/EmergencyTarget.sol";

/// @title What every strategy has in common
/// @notice Only the router brings capital; whoever holds shares, after an exit in kind, takes his part out. A concrete
/// strategy says what it holds, what it can take and give now, and how to put and take capital.
/// @dev THROTTLED stops new capital, WITHDRAW_ONLY likewise, FROZEN stops withdrawals and share transfers too.
abstract contract Strategy is ERC4626, ReentrancyGuard, AccessManaged, EmergencyTarget, IStrategy {
    using SafeERC20 for IERC20;

    /// Virtual shares per virtual asset, so that a former holder's dust cannot move the price against the router.
    uint8 private constant OFFSET = 6;

    /// @inheritdoc IStrategy
    address public immutable router;

    constructor(address router_, address authority_, address gate, string memory name_, string memory symbol_)
        ERC20(name_, symbol_)
        ERC4626(IERC20(IERC4626(router_).asset()))
        AccessManaged(authority_)
        EmergencyTarget(gate)
    {
        router = router_;
    }

    // ---- what a concrete strategy says ----

    /// @dev What is held, by the protocol's own accounting, assets.
    function _holdings() internal view virtual returns (uint256);

    /// @dev What the protocol still takes, assets.
    function _room() internal view virtual returns (uint256);

    /// @dev What the protocol gives back now, assets, over all holders.
    function _liquidity() internal view virtual returns (uint256);

    /// @dev Puts `assets`, which lie here, to work.
    function _put(uint256 assets) internal virtual;

    /// @dev Brings at least `assets` here, for which `shares` were just burned.
    function _take(uint256 assets, uint256 shares) internal virtual;

    // ---- ERC-4626 ----

    /// @inheritdoc IERC4626
    /// @dev Silent inside a call: between a transfer and its mint nobody may read a price off this vault.
    function totalAssets() public view override(ERC4626, IERC4626) returns (uint256) {
        require(!_reentrancyGuardEntered(), ReentrancyGuardReentrantCall());
        return _holdings();
    }

    /// @inheritdoc IERC4626
    function maxDeposit(address receiver) public view override(ERC4626, IERC4626) returns (uint256) {
        if (receiver != router || emergencyState != EmergencyState.NORMAL || _reentrancyGuardEntered()) return 0;
        return _room();
    }

    /// @inheritdoc IERC4626
    function maxMint(address receiver) public view override(ERC4626, IERC4626) returns (uint256) {
        uint256 assets = maxDeposit(receiver);
        if (assets == 0) return 0;
        // Beyond 128 bits there is no limit worth converting.
        return assets >= type(uint128).max ? type(uint256).max : previewDeposit(assets);
    }

    /// @inheritdoc IERC4626
    function maxWithdraw(address owner) public view override(ERC4626, IERC4626) returns (uint256) {
        if (emergencyState == EmergencyState.FROZEN || _reentrancyGuardEntered()) return 0;
        return Math.min(previewRedeem(balanceOf(owner)), _liquidity());
    }

    /// @inheritdoc IERC4626
    function maxRedeem(address owner) public view override(ERC4626, IERC4626) returns (uint256) {
        if (emergencyState == EmergencyState.FROZEN || _reentrancyGuardEntered()) return 0;
        uint256 shares = balanceOf(owner);
        uint256 liquid = _liquidity();
        if (previewRedeem(shares) <= liquid) return shares;
        return Math.min(shares, _convertToShares(liquid, Math.Rounding.Floor));
    }

    function _deposit(address caller, address receiver, uint256 assets, uint256 shares) internal override nonReentrant {
        require(caller == router && receiver == router, NotRouter(caller));
        _requireAtMost(EmergencyState.NORMAL);
        _mint(receiver, shares);
        emit Deposit(caller, receiver, assets, shares);
        uint256 before = IERC20(asset()).balanceOf(address(this));
        IERC20(asset()).safeTransferFrom(caller, address(this), assets);
        uint256 arrived = IERC20(asset()).balanceOf(address(this)) - before;
        // A difference of two balances in one call: a donation before it changes nothing.
        // slither-disable-next-line incorrect-equality
        require(arrived == assets, AssetsArrivedDiffer(assets, arrived));
        _put(assets);
    }

    function _withdraw(address caller, address receiver, address owner, uint256 assets, uint256 shares)
        internal
        override
        nonReentrant
    {
        _requireAtMost(EmergencyState.WITHDRAW_ONLY);
        if (caller != owner) _spendAllowance(owner, caller, shares);
        _burn(owner, shares);
        emit Withdraw(caller, receiver, owner, assets, shares);
        // Worth nothing: nothing is taken and nothing is paid.
        // slither-disable-next-line incorrect-equality
        if (assets == 0) return;
        _take(assets, shares);
        IERC20(asset()).safeTransfer(receiver, assets);
    }

    function _update(address from, address to, uint256 value) internal override {
        _requireAtMost(EmergencyState.WITHDRAW_ONLY);
        super._update(from, to, value);
    }

    function _decimalsOffset() internal pure override returns (uint8) {
        return OFFSET;
    }
}
