// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

interface ICometFeed {
    function latestRoundData() external view returns (uint80, int256 answer, uint256, uint256, uint80);
}

/// @notice A double of Compound III's Comet, of which no build is to be had on npm: one base token that is lent, collateral
/// that borrowers put up. Same calls, same integers: indices, rates with a kink, signed principals, rounding, rewards tracking,
/// pause flags, managers. What it leaves out: liquidation (`absorb`, `buyCollateral`), signatures, the extension's delegatecall.
/// @dev Positive principal: supplied; negative: borrowed. A withdrawal beyond what is supplied borrows the rest.
contract CometDouble {
    using SafeERC20 for IERC20;

    struct Configuration {
        address governor;
        address pauseGuardian;
        address baseToken;
        address baseTokenPriceFeed;
        uint64 supplyKink;
        uint64 supplyPerYearInterestRateSlopeLow;
        uint64 supplyPerYearInterestRateSlopeHigh;
        uint64 supplyPerYearInterestRateBase;
        uint64 borrowKink;
        uint64 borrowPerYearInterestRateSlopeLow;
        uint64 borrowPerYearInterestRateSlopeHigh;
        uint64 borrowPerYearInterestRateBase;
        uint64 trackingIndexScale;
        uint64 baseTrackingSupplySpeed;
        uint64 baseTrackingBorrowSpeed;
        uint104 baseMinForRewards;
        uint104 baseBorrowMin;
        AssetConfig[] assetConfigs;
    }

    struct AssetConfig {
        address asset;
        address priceFeed;
        uint8 decimals;
        uint64 borrowCollateralFactor;
        uint128 supplyCap;
    }

    struct TotalsBasic {
        uint64 baseSupplyIndex;
        uint64 baseBorrowIndex;
        uint64 trackingSupplyIndex;
        uint64 trackingBorrowIndex;
        uint104 totalSupplyBase;
        uint104 totalBorrowBase;
        uint40 lastAccrualTime;
        uint8 pauseFlags;
    }

    struct UserBasic {
        int104 principal;
        uint64 baseTrackingIndex;
        uint64 baseTrackingAccrued;
        uint16 assetsIn;
        uint8 _reserved;
    }

    struct Curve {
        uint64 kink;
        uint64 slopeLow;
        uint64 slopeHigh;
        uint64 base;
    }

    event Supply(address indexed from, address indexed dst, uint256 amount);
    event Transfer(address indexed from, address indexed to, uint256 amount);
    event Withdraw(address indexed src, address indexed to, uint256 amount);
    event SupplyCollateral(address indexed from, address indexed dst, address indexed asset, uint256 amount);
    event TransferCollateral(address indexed from, address indexed to, address indexed asset, uint256 amount);
    event WithdrawCollateral(address indexed src, address indexed to, address indexed asset, uint256 amount);
    event PauseAction(bool supplyPaused, bool transferPaused, bool withdrawPaused, bool absorbPaused, bool buyPaused);
    event WithdrawReserves(address indexed to, uint256 amount);
    event Approval(address indexed owner, address indexed spender, uint256 amount);

    error BadAmount();
    error BadAsset();
    error BadDecimals();
    error BadMinimum();
    error BadPrice();
    error BorrowTooSmall();
    error InsufficientReserves();
    error InvalidInt104();
    error InvalidUInt104();
    error InvalidUInt64();
    error NoSelfTransfer();
    error NotCollateralized();
    error Paused();
    error ReentrantCallBlocked();
    error SupplyCapExceeded();
    error Unauthorized();

    uint64 private constant _FACTOR = 1e18;
    uint64 private constant _INDEX = 1e15;
    uint64 private constant _ACCRUAL = 1e6;
    uint64 private constant _YEAR = 365 days;
    uint8 private constant _SUPPLY = 1;
    uint8 private constant _TRANSFER = 2;
    uint8 private constant _WITHDRAW = 4;
    uint8 private constant _ABSORB = 8;
    uint8 private constant _BUY = 16;

    string public constant name = "Comet double";
    string public constant symbol = "cDOUBLEv3";
    uint64 public constant baseAccrualScale = _ACCRUAL;
    uint64 public constant baseIndexScale = _INDEX;
    uint64 public constant factorScale = _FACTOR;
    uint64 public constant priceScale = 1e8;

    address public immutable governor;
    address public immutable pauseGuardian;
    address public immutable baseToken;
    address public immutable baseTokenPriceFeed;
    uint8 public immutable decimals;
    uint256 public immutable baseScale;
    uint256 public immutable trackingIndexScale;
    uint256 public immutable baseTrackingSupplySpeed;
    uint256 public immutable baseTrackingBorrowSpeed;
    uint256 public immutable baseMinForRewards;
    uint256 public immutable baseBorrowMin;

    mapping(address account => UserBasic) public userBasic;
    mapping(address account => mapping(address asset => uint128)) public collateralBalanceOf;
    mapping(address owner => mapping(address manager => bool)) public isAllowed;
    mapping(address asset => uint256) private _totalCollateral;
    AssetConfig[] private _assets;
    Curve private _supplyCurve;
    Curve private _borrowCurve;
    TotalsBasic private _totals;
    bool private _entered;

    modifier nonReentrant() {
        require(!_entered, ReentrantCallBlocked());
        _entered = true;
        _;
        _entered = false;
    }

    constructor(Configuration memory config) {
        governor = config.governor;
        pauseGuardian = config.pauseGuardian;
        baseToken = config.baseToken;
        baseTokenPriceFeed = config.baseTokenPriceFeed;
        decimals = IERC20Metadata(config.baseToken).decimals();
        require(decimals <= 18 && decimals >= 6, BadDecimals());
        require(config.baseMinForRewards != 0, BadMinimum());
        baseScale = 10 ** decimals;
        trackingIndexScale = config.trackingIndexScale;
        baseTrackingSupplySpeed = config.baseTrackingSupplySpeed;
        baseTrackingBorrowSpeed = config.baseTrackingBorrowSpeed;
        baseMinForRewards = config.baseMinForRewards;
        baseBorrowMin = config.baseBorrowMin;
        _supplyCurve = Curve(
            config.supplyKink,
            config.supplyPerYearInterestRateSlopeLow / _YEAR,
            config.supplyPerYearInterestRateSlopeHigh / _YEAR,
            config.supplyPerYearInterestRateBase / _YEAR
        );
        _borrowCurve = Curve(
            config.borrowKink,
            config.borrowPerYearInterestRateSlopeLow / _YEAR,
            config.borrowPerYearInterestRateSlopeHigh / _YEAR,
            config.borrowPerYearInterestRateBase / _YEAR
        );
        for (uint256 i; i < config.assetConfigs.length; ++i) {
            _assets.push(config.assetConfigs[i]);
        }
        _totals.baseSupplyIndex = _INDEX;
        _totals.baseBorrowIndex = _INDEX;
        _totals.lastAccrualTime = uint40(block.timestamp);
    }

    // ---- base and collateral move ----

    function supply(address asset, uint256 amount) external {
        _supplyAsset(msg.sender, msg.sender, asset, amount);
    }

    function supplyTo(address dst, address asset, uint256 amount) external {
        _supplyAsset(msg.sender, dst, asset, amount);
    }

    function supplyFrom(address from, address dst, address asset, uint256 amount) external {
        _supplyAsset(from, dst, asset, amount);
    }

    function withdraw(address asset, uint256 amount) external {
        _withdrawAsset(msg.sender, msg.sender, asset, amount);
    }

    function withdrawTo(address to, address asset, uint256 amount) external {
        _withdrawAsset(msg.sender, to, asset, amount);
    }

    function withdrawFrom(address src, address to, address asset, uint256 amount) external {
        _withdrawAsset(src, to, asset, amount);
    }

    function transfer(address dst, uint256 amount) external returns (bool) {
        _transferAsset(msg.sender, dst, baseToken, amount);
        return true;
    }

    function transferFrom(address src, address dst, uint256 amount) external returns (bool) {
        _transferAsset(src, dst, baseToken, amount);
        return true;
    }

    function transferAsset(address dst, address asset, uint256 amount) external {
        _transferAsset(msg.sender, dst, asset, amount);
    }

    function transferAssetFrom(address src, address dst, address asset, uint256 amount) external {
        _transferAsset(src, dst, asset, amount);
    }

    function accrueAccount(address account) external {
        _accrue();
        _setPrincipal(account, userBasic[account].principal);
    }

    // ---- managers: all or nothing, as an allowance too ----

    function allow(address manager, bool isAllowed_) external {
        isAllowed[msg.sender][manager] = isAllowed_;
        emit Approval(msg.sender, manager, isAllowed_ ? type(uint256).max : 0);
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        require(amount == 0 || amount == type(uint256).max, BadAmount());
        isAllowed[msg.sender][spender] = amount != 0;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    function allowance(address owner, address spender) external view returns (uint256) {
        return hasPermission(owner, spender) ? type(uint256).max : 0;
    }

    function hasPermission(address owner, address manager) public view returns (bool) {
        return owner == manager || isAllowed[owner][manager];
    }

    // ---- governance ----

    function pause(bool supplyPaused, bool transferPaused, bool withdrawPaused, bool absorbPaused, bool buyPaused)
        external
    {
        require(msg.sender == governor || msg.sender == pauseGuardian, Unauthorized());
        _totals.pauseFlags = (supplyPaused ? _SUPPLY : 0) | (transferPaused ? _TRANSFER : 0)
            | (withdrawPaused ? _WITHDRAW : 0) | (absorbPaused ? _ABSORB : 0) | (buyPaused ? _BUY : 0);
        emit PauseAction(supplyPaused, transferPaused, withdrawPaused, absorbPaused, buyPaused);
    }

    function withdrawReserves(address to, uint256 amount) external {
        require(msg.sender == governor, Unauthorized());
        int256 reserves = getReserves();
        require(reserves >= 0 && amount <= uint256(reserves), InsufficientReserves());
        IERC20(baseToken).safeTransfer(to, amount);
        emit WithdrawReserves(to, amount);
    }

    // ---- views ----

    function balanceOf(address account) public view returns (uint256) {
        int104 principal = userBasic[account].principal;
        (uint64 supplyIndex,) = _indices();
        return principal > 0 ? _present(uint104(principal), supplyIndex) : 0;
    }

    function borrowBalanceOf(address account) public view returns (uint256) {
        int104 principal = userBasic[account].principal;
        (, uint64 borrowIndex) = _indices();
        return principal < 0 ? _present(uint104(-principal), borrowIndex) : 0;
    }

    function totalSupply() external view returns (uint256) {
        (uint64 supplyIndex,) = _indices();
        return _present(_totals.totalSupplyBase, supplyIndex);
    }

    function totalBorrow() external view returns (uint256) {
        (, uint64 borrowIndex) = _indices();
        return _present(_totals.totalBorrowBase, borrowIndex);
    }

    function totalsBasic() external view returns (TotalsBasic memory) {
        return _totals;
    }

    function totalsCollateral(address asset) external view returns (uint128 totalSupplyAsset, uint128 _reserved) {
        return (uint128(_totalCollateral[asset]), 0);
    }

    function baseTrackingAccrued(address account) external view returns (uint64) {
        return userBasic[account].baseTrackingAccrued;
    }

    function numAssets() external view returns (uint8) {
        return uint8(_assets.length);
    }

    function supplyKink() external view returns (uint256) {
        return _supplyCurve.kink;
    }

    function borrowKink() external view returns (uint256) {
        return _borrowCurve.kink;
    }

    /// @notice Debt over supply as of the last accrual, 1e18; may exceed one.
    function getUtilization() public view returns (uint256) {
        uint256 supplied = _present(_totals.totalSupplyBase, _totals.baseSupplyIndex);
        if (supplied == 0) return 0;
        return _present(_totals.totalBorrowBase, _totals.baseBorrowIndex) * _FACTOR / supplied;
    }

    function getSupplyRate(uint256 utilization) public view returns (uint64) {
        return _rate(_supplyCurve, utilization);
    }

    function getBorrowRate(uint256 utilization) public view returns (uint64) {
        return _rate(_borrowCurve, utilization);
    }

    function getReserves() public view returns (int256) {
        (uint64 supplyIndex, uint64 borrowIndex) = _indices();
        uint256 owned = IERC20(baseToken).balanceOf(address(this)) + _present(_totals.totalBorrowBase, borrowIndex);
        return int256(owned) - int256(_present(_totals.totalSupplyBase, supplyIndex));
    }

    function getPrice(address priceFeed) public view returns (uint256) {
        (, int256 price,,,) = ICometFeed(priceFeed).latestRoundData();
        require(price > 0, BadPrice());
        return uint256(price);
    }

    /// @notice By the balances of the last accrual.
    function isBorrowCollateralized(address account) public view returns (bool) {
        int104 principal = userBasic[account].principal;
        if (principal >= 0) return true;
        uint256 debt = _present(uint104(-principal), _totals.baseBorrowIndex) * getPrice(baseTokenPriceFeed) / baseScale;
        uint256 backing;
        for (uint256 i; i < _assets.length; ++i) {
            AssetConfig storage config = _assets[i];
            uint256 amount = collateralBalanceOf[account][config.asset];
            if (amount == 0) continue;
            uint256 value = amount * getPrice(config.priceFeed) / 10 ** config.decimals;
            backing += value * config.borrowCollateralFactor / _FACTOR;
        }
        return backing >= debt;
    }

    function isSupplyPaused() public view returns (bool) {
        return _totals.pauseFlags & _SUPPLY != 0;
    }

    function isTransferPaused() public view returns (bool) {
        return _totals.pauseFlags & _TRANSFER != 0;
    }

    function isWithdrawPaused() public view returns (bool) {
        return _totals.pauseFlags & _WITHDRAW != 0;
    }

    function isAbsorbPaused() external view returns (bool) {
        return _totals.pauseFlags & _ABSORB != 0;
    }

    function isBuyPaused() external view returns (bool) {
        return _totals.pauseFlags & _BUY != 0;
    }

    // ---- how they move ----

    function _supplyAsset(address from, address dst, address asset, uint256 amount) private nonReentrant {
        require(!isSupplyPaused(), Paused());
        require(hasPermission(from, msg.sender), Unauthorized());
        if (asset != baseToken) return _supplyCollateral(from, dst, asset, amount);
        if (amount == type(uint256).max) amount = borrowBalanceOf(dst);
        amount = _pull(asset, from, amount);
        _accrue();
        (uint256 minted,) = _move(dst, int256(amount));
        emit Supply(from, dst, amount);
        if (minted != 0) emit Transfer(address(0), dst, _present(minted, _totals.baseSupplyIndex));
    }

    function _withdrawAsset(address src, address to, address asset, uint256 amount) private nonReentrant {
        require(!isWithdrawPaused(), Paused());
        require(hasPermission(src, msg.sender), Unauthorized());
        if (asset != baseToken) {
            _moveCollateral(src, address(0), asset, amount);
            IERC20(asset).safeTransfer(to, amount);
            emit WithdrawCollateral(src, to, asset, amount);
            return;
        }
        if (amount == type(uint256).max) amount = balanceOf(src);
        _accrue();
        (uint256 burned, int256 balance) = _move(src, -int256(amount));
        _requireSound(src, balance);
        IERC20(asset).safeTransfer(to, amount);
        emit Withdraw(src, to, amount);
        if (burned != 0) emit Transfer(src, address(0), _present(burned, _totals.baseSupplyIndex));
    }

    function _transferAsset(address src, address dst, address asset, uint256 amount) private nonReentrant {
        require(!isTransferPaused(), Paused());
        require(hasPermission(src, msg.sender), Unauthorized());
        require(src != dst, NoSelfTransfer());
        if (asset != baseToken) {
            _moveCollateral(src, dst, asset, amount);
            emit TransferCollateral(src, dst, asset, amount);
            return;
        }
        if (amount == type(uint256).max) amount = balanceOf(src);
        _accrue();
        (uint256 burned, int256 balance) = _move(src, -int256(amount));
        (uint256 minted,) = _move(dst, int256(amount));
        _requireSound(src, balance);
        if (burned != 0) emit Transfer(src, address(0), _present(burned, _totals.baseSupplyIndex));
        if (minted != 0) emit Transfer(address(0), dst, _present(minted, _totals.baseSupplyIndex));
    }

    function _supplyCollateral(address from, address dst, address asset, uint256 amount) private {
        uint256 cap = _assetConfig(asset).supplyCap;
        amount = _pull(asset, from, amount);
        _totalCollateral[asset] += amount;
        require(_totalCollateral[asset] <= cap, SupplyCapExceeded());
        collateralBalanceOf[dst][asset] += uint128(amount);
        emit SupplyCollateral(from, dst, asset, amount);
    }

    function _moveCollateral(address src, address dst, address asset, uint256 amount) private {
        _assetConfig(asset);
        collateralBalanceOf[src][asset] -= uint128(amount);
        if (dst == address(0)) _totalCollateral[asset] -= amount;
        else collateralBalanceOf[dst][asset] += uint128(amount);
        require(isBorrowCollateralized(src), NotCollateralized());
    }

    /// @dev Adds to or takes from an account's balance of base. Returns the supply principal that came or went (repaid and
    /// borrowed principal is no part of it) and the new balance before it is rounded.
    function _move(address account, int256 amount) private returns (uint256 changed, int256 balance) {
        int256 before = userBasic[account].principal;
        balance = _signedPresent(before) + amount;
        int256 next = _principal(balance);
        int256 supplied = _positive(next) - _positive(before);
        int256 borrowed = _positive(-next) - _positive(-before);
        // Rounding must not turn a way in into a way out, nor the other way round.
        if (amount >= 0 ? next >= before : next <= before) {
            _totals.totalSupplyBase = _toUint104(int256(uint256(_totals.totalSupplyBase)) + supplied);
            _totals.totalBorrowBase = _toUint104(int256(uint256(_totals.totalBorrowBase)) + borrowed);
            changed = uint256(supplied >= 0 ? supplied : -supplied);
        }
        require(next >= type(int104).min && next <= type(int104).max, InvalidInt104());
        _setPrincipal(account, int104(next));
    }

    /// @dev Who owes now must owe enough and have put up enough.
    function _requireSound(address src, int256 balance) private view {
        if (balance >= 0) return;
        require(uint256(-balance) >= baseBorrowMin, BorrowTooSmall());
        require(isBorrowCollateralized(src), NotCollateralized());
    }

    // ---- interest and tracking ----

    function _accrue() private {
        uint256 elapsed = block.timestamp - _totals.lastAccrualTime;
        if (elapsed == 0) return;
        (_totals.baseSupplyIndex, _totals.baseBorrowIndex) = _indices();
        _totals.trackingSupplyIndex += _tracked(baseTrackingSupplySpeed * elapsed, _totals.totalSupplyBase);
        _totals.trackingBorrowIndex += _tracked(baseTrackingBorrowSpeed * elapsed, _totals.totalBorrowBase);
        _totals.lastAccrualTime = uint40(block.timestamp);
    }

    function _tracked(uint256 reward, uint256 principal) private view returns (uint64) {
        return principal >= baseMinForRewards ? _toUint64(reward * baseScale / principal) : 0;
    }

    /// @dev Both indices up to now: simple interest since the last accrual, at the rates of that moment.
    function _indices() private view returns (uint64 supplyIndex, uint64 borrowIndex) {
        (supplyIndex, borrowIndex) = (_totals.baseSupplyIndex, _totals.baseBorrowIndex);
        uint256 elapsed = block.timestamp - _totals.lastAccrualTime;
        if (elapsed == 0) return (supplyIndex, borrowIndex);
        uint256 utilization = getUtilization();
        supplyIndex += _toUint64(supplyIndex * (getSupplyRate(utilization) * elapsed) / _FACTOR);
        borrowIndex += _toUint64(borrowIndex * (getBorrowRate(utilization) * elapsed) / _FACTOR);
    }

    function _rate(Curve storage curve, uint256 utilization) private view returns (uint64) {
        uint256 kink = curve.kink;
        if (utilization <= kink) return _toUint64(curve.base + curve.slopeLow * utilization / _FACTOR);
        return
            _toUint64(curve.base + curve.slopeLow * kink / _FACTOR + curve.slopeHigh * (utilization - kink) / _FACTOR);
    }

    function _setPrincipal(address account, int104 principal) private {
        UserBasic storage user = userBasic[account];
        int104 before = user.principal;
        uint256 size = uint104(before >= 0 ? before : -before);
        uint256 grown =
            (before >= 0 ? _totals.trackingSupplyIndex : _totals.trackingBorrowIndex) - user.baseTrackingIndex;
        user.baseTrackingAccrued += _toUint64(size * grown / trackingIndexScale / (baseScale / _ACCRUAL));
        user.principal = principal;
        user.baseTrackingIndex = principal >= 0 ? _totals.trackingSupplyIndex : _totals.trackingBorrowIndex;
    }

    // ---- arithmetic ----

    function _present(uint256 principal, uint64 index) private pure returns (uint256) {
        return principal * index / _INDEX;
    }

    function _signedPresent(int256 principal) private view returns (int256) {
        return principal >= 0
            ? int256(_present(uint256(principal), _totals.baseSupplyIndex))
            : -int256(_present(uint256(-principal), _totals.baseBorrowIndex));
    }

    /// @dev Supply is rounded down, debt up.
    function _principal(int256 balance) private view returns (int256) {
        if (balance >= 0) return int256(uint256(balance) * _INDEX / _totals.baseSupplyIndex);
        uint64 index = _totals.baseBorrowIndex;
        return -int256((uint256(-balance) * _INDEX + index - 1) / index);
    }

    function _positive(int256 value) private pure returns (int256) {
        return value > 0 ? value : int256(0);
    }

    function _toUint104(int256 value) private pure returns (uint104) {
        require(value >= 0 && value <= int256(uint256(type(uint104).max)), InvalidUInt104());
        return uint104(uint256(value));
    }

    function _toUint64(uint256 value) private pure returns (uint64) {
        require(value <= type(uint64).max, InvalidUInt64());
        return uint64(value);
    }

    function _assetConfig(address asset) private view returns (AssetConfig storage) {
        for (uint256 i; i < _assets.length; ++i) {
            if (_assets[i].asset == asset) return _assets[i];
        }
        revert BadAsset();
    }

    function _pull(address token, address from, uint256 amount) private returns (uint256) {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(from, address(this), amount);
        return IERC20(token).balanceOf(address(this)) - before;
    }
}
