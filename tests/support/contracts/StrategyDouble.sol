// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

interface IMintable {
    function mint(address to, uint256 amount) external;
}

/// @notice Double of an ERC-4626 strategy that simply holds the asset, honest until told otherwise: its gains, losses,
/// illiquidity, failures, lies and reentrancy are set by the test.
contract StrategyDouble is ERC4626 {
    using SafeERC20 for IERC20;

    enum Fault {
        NONE,
        REVERT,
        BURN_GAS,
        JUNK,
        /// Answers as if it had paid, but pays nothing.
        LIE,
        /// Pays half of what it is asked for.
        SHORT,
        LONG_ANSWER
    }

    error Failing();

    bool public limited;
    uint256 public limit;
    uint256 public entryFeeBps;
    uint256 public exitFeeBps;
    mapping(bytes4 selector => Fault) public faults;
    address public callee;
    bytes public callData;
    bool public calledBack;
    bool public callSucceeded;
    bytes public callResult;

    constructor(address asset_) ERC20("Strategy double", "DOUBLE") ERC4626(IERC20(asset_)) {}

    // ---- what the test sets ----

    function gain(uint256 assets) external {
        IMintable(asset()).mint(address(this), assets);
    }

    function lose(uint256 assets) external {
        IERC20(asset()).safeTransfer(address(0xdead), assets);
    }

    /// @notice At most `limit_` can be withdrawn.
    function setLimit(bool limited_, uint256 limit_) external {
        limited = limited_;
        limit = limit_;
    }

    function setFees(uint256 entryBps, uint256 exitBps) external {
        entryFeeBps = entryBps;
        exitFeeBps = exitBps;
    }

    function setFault(bytes4 selector, Fault fault) external {
        faults[selector] = fault;
    }

    /// @notice The next deposit or withdrawal makes this call, whatever becomes of it.
    function arm(address callee_, bytes calldata callData_) external {
        callee = callee_;
        callData = callData_;
        calledBack = false;
    }

    // ---- ERC-4626 ----

    function totalAssets() public view override returns (uint256) {
        return IERC20(asset()).balanceOf(address(this));
    }

    function maxWithdraw(address owner) public view override returns (uint256) {
        _misbehave(this.maxWithdraw.selector);
        uint256 assets = super.previewRedeem(super.balanceOf(owner));
        assets -= assets * exitFeeBps / 1e4;
        return limited && limit < assets ? limit : assets;
    }

    function maxRedeem(address owner) public view override returns (uint256) {
        uint256 shares = super.balanceOf(owner);
        if (!limited) return shares;
        uint256 most = previewWithdraw(maxWithdraw(owner));
        return most < shares ? most : shares;
    }

    function previewDeposit(uint256 assets) public view override returns (uint256) {
        return super.previewDeposit(assets - assets * entryFeeBps / 1e4);
    }

    function previewRedeem(uint256 shares) public view virtual override returns (uint256) {
        _misbehave(this.previewRedeem.selector);
        uint256 assets = super.previewRedeem(shares);
        return assets - assets * exitFeeBps / 1e4;
    }

    function previewWithdraw(uint256 assets) public view override returns (uint256) {
        return super.previewWithdraw(exitFeeBps == 0 ? assets : assets * 1e4 / (1e4 - exitFeeBps) + 1);
    }

    function balanceOf(address account) public view override(ERC20, IERC20) returns (uint256) {
        _misbehave(this.balanceOf.selector);
        return super.balanceOf(account);
    }

    function transfer(address to, uint256 amount) public virtual override(ERC20, IERC20) returns (bool) {
        _misbehave(this.transfer.selector);
        return super.transfer(to, amount);
    }

    function deposit(uint256 assets, address receiver) public override returns (uint256) {
        _misbehave(this.deposit.selector);
        _callBack();
        uint256 shares = super.deposit(assets, receiver);
        _keepFee(assets * entryFeeBps / 1e4);
        return shares;
    }

    function withdraw(uint256 assets, address receiver, address owner) public virtual override returns (uint256) {
        _misbehave(this.withdraw.selector);
        _callBack();
        Fault fault = faults[this.withdraw.selector];
        if (fault == Fault.LIE) return previewWithdraw(assets);
        if (fault == Fault.SHORT) assets /= 2;
        require(!limited || assets <= limit, Failing());
        if (limited) limit -= assets;
        uint256 shares = previewWithdraw(assets);
        _withdraw(msg.sender, receiver, owner, assets, shares);
        _keepFee(assets * exitFeeBps / (1e4 - exitFeeBps));
        return shares;
    }

    function _keepFee(uint256 fee) private {
        if (fee != 0) IERC20(asset()).safeTransfer(address(0xdead), fee);
    }

    function _callBack() internal {
        address to = callee;
        if (to == address(0)) return;
        callee = address(0);
        calledBack = true;
        (callSucceeded, callResult) = to.call(callData);
    }

    function _misbehave(bytes4 selector) private view {
        Fault fault = faults[selector];
        if (fault == Fault.REVERT) revert Failing();
        if (fault == Fault.BURN_GAS) {
            assembly {
                invalid()
            }
        }
        if (fault == Fault.JUNK) {
            assembly {
                mstore(0, not(0))
                return(0, 32)
            }
        }
        if (fault == Fault.LONG_ANSWER) {
            assembly {
                revert(0, 200000)
            }
        }
    }
}
