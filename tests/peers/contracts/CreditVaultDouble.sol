// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title Double of a private credit vault: a foreign ERC-4626 that lends to one desk
/// @notice No package holds such a vault. The desk draws assets, owes simple interest on them per second, repays, or defaults,
/// and a default is a loss of every holder at once. Only assets that are not drawn can be withdrawn.
contract CreditVaultDouble is ERC4626 {
    using SafeERC20 for IERC20;

    uint256 private constant YEAR = 365 days;

    address public immutable desk;
    uint256 public immutable rateBps;
    uint256 public drawn;
    uint256 public interest;
    uint256 public accruedAt;

    error NotDesk(address caller);
    error RepaysTooMuch(uint256 assets, uint256 owed);

    constructor(IERC20 asset_, address desk_, uint256 rateBps_) ERC20("Credit Vault Double", "cvd") ERC4626(asset_) {
        desk = desk_;
        rateBps = rateBps_;
        accruedAt = block.timestamp;
    }

    modifier onlyDesk() {
        if (msg.sender != desk) revert NotDesk(msg.sender);
        _;
    }

    function draw(uint256 assets) external onlyDesk {
        _accrue();
        drawn += assets;
        IERC20(asset()).safeTransfer(msg.sender, assets);
    }

    /// @notice Interest is paid before principal.
    function repay(uint256 assets) external onlyDesk {
        _accrue();
        uint256 owed = drawn + interest;
        if (assets > owed) revert RepaysTooMuch(assets, owed);
        uint256 toInterest = Math.min(assets, interest);
        interest -= toInterest;
        drawn -= assets - toInterest;
        IERC20(asset()).safeTransferFrom(msg.sender, address(this), assets);
    }

    /// @notice The desk will not pay back `assets` of its principal.
    function defaultOn(uint256 assets) external onlyDesk {
        _accrue();
        drawn -= assets;
    }

    function totalAssets() public view override returns (uint256) {
        return _liquid() + drawn + _interestNow();
    }

    function maxWithdraw(address owner) public view override returns (uint256) {
        return Math.min(super.maxWithdraw(owner), _liquid());
    }

    function maxRedeem(address owner) public view override returns (uint256) {
        return Math.min(super.maxRedeem(owner), _convertToShares(_liquid(), Math.Rounding.Floor));
    }

    function _accrue() private {
        interest = _interestNow();
        accruedAt = block.timestamp;
    }

    function _interestNow() private view returns (uint256) {
        return interest + Math.mulDiv(drawn, rateBps * (block.timestamp - accruedAt), 10_000 * YEAR);
    }

    function _liquid() private view returns (uint256) {
        return IERC20(asset()).balanceOf(address(this));
    }
}
