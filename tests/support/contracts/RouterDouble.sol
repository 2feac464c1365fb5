// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IAccessPolicy} from "interfaces/compliance/IAccessPolicy.sol";
import {TestToken} from "tests/support/contracts/TestToken.sol";

/// @notice What gateway, queue and harvester see of a router, with liquidity, losses and reports set by the test.
contract RouterDouble is TestToken {
    using SafeERC20 for IERC20;

    struct Report {
        uint256 gain;
        uint256 loss;
        bool fails;
    }

    error OutOfBounds(uint256 value, uint256 maximum);
    error SlippageExceeded(uint256 received, uint256 minimum);
    error TransferRefused(address from, address to);
    error DepositRefused(address payer, address receiver);
    error ReportFails(address strategy);
    error NotExitQueue(address caller);

    event YieldReceived(address indexed by, address indexed strategy, uint256 assets);

    address public immutable asset;
    uint256 private immutable _VIRTUAL;
    uint256 public totalAssets;
    uint256 public depositCap = type(uint128).max;
    /// @notice Most assets that exits can take; the queue's own exits see all of it, others what it is not owed.
    uint256 public liquidity = type(uint128).max;
    /// @notice Loss that exits bear beyond `threshold` assets, where `idle` ends.
    uint256 public lossBps;
    uint256 public threshold;
    uint256 public queuedShares;
    address public exitQueue;
    address public accessPolicy;
    mapping(address strategy => Report) public reports;

    constructor(address asset_, uint8 assetDecimals, uint8 offset)
        TestToken("Router", "RTR", assetDecimals + offset)
    {
        asset = asset_;
        _VIRTUAL = 10 ** offset;
    }

    // ---- set by the test ----

    function setDepositCap(uint256 cap) external {
        depositCap = cap;
    }

    function setLiquidity(uint256 assets) external {
        liquidity = assets;
    }

    function setLoss(uint256 bps, uint256 threshold_) external {
        lossBps = bps;
        threshold = threshold_;
    }

    function setExitQueue(address queue) external {
        exitQueue = queue;
    }

    function setAccessPolicy(address policy) external {
        accessPolicy = policy;
    }

    function setReport(address strategy, uint256 gain, uint256 loss, bool fails) external {
        reports[strategy] = Report(gain, loss, fails);
    }

    /// @notice Sets the books; the asset follows by the test's own mint.
    function setTotalAssets(uint256 assets) external {
        totalAssets = assets;
    }

    // ---- as the router does ----

    function deposit(uint256 assets, address receiver) external returns (uint256 shares) {
        require(assets <= maxDeposit(receiver), OutOfBounds(assets, maxDeposit(receiver)));
        require(
            accessPolicy == address(0) || IAccessPolicy(accessPolicy).canDeposit(msg.sender, receiver),
            DepositRefused(msg.sender, receiver)
        );
        shares = previewDeposit(assets);
        require(shares != 0, OutOfBounds(0, 0));
        totalAssets += assets;
        _mint(receiver, shares);
        IERC20(asset).safeTransferFrom(msg.sender, address(this), assets);
    }

    function redeem(uint256 shares, address receiver, address owner) external returns (uint256) {
        return _redeem(shares, receiver, owner, 0);
    }

    function redeem(uint256 shares, address receiver, address owner, uint256 minAssets) external returns (uint256) {
        return _redeem(shares, receiver, owner, minAssets);
    }

    function setQueuedShares(uint256 shares) external {
        require(msg.sender == exitQueue, NotExitQueue(msg.sender));
        queuedShares = shares;
    }

    function receiveYield(address strategy, uint256 assets) external {
        totalAssets += assets;
        emit YieldReceived(msg.sender, strategy, assets);
        IERC20(asset).safeTransferFrom(msg.sender, address(this), assets);
    }

    function processReport(address strategy) external returns (uint256 gain, uint256 loss) {
        Report memory report = reports[strategy];
        require(!report.fails, ReportFails(strategy));
        totalAssets = totalAssets + report.gain - report.loss;
        return (report.gain, report.loss);
    }

    function maxDeposit(address) public view returns (uint256) {
        return depositCap > totalAssets ? depositCap - totalAssets : 0;
    }

    function maxRedeem(address owner) external view returns (uint256) {
        uint256 left = owner == exitQueue ? liquidity : availableLiquidity();
        // Most shares worth no more than what is left.
        uint256 shares = Math.mulDiv(left + 1, _shares1(), _assets1(), Math.Rounding.Ceil) - 1;
        return Math.min(balanceOf(owner), shares);
    }

    function availableLiquidity() public view returns (uint256) {
        return Math.saturatingSub(liquidity, convertToAssets(queuedShares));
    }

    function previewDeposit(uint256 assets) public view returns (uint256) {
        return Math.mulDiv(assets, _shares1(), _assets1());
    }

    function convertToAssets(uint256 shares) public view returns (uint256) {
        return Math.mulDiv(shares, _assets1(), _shares1());
    }

    function previewRedeem(uint256 shares) public view returns (uint256 assets) {
        assets = convertToAssets(shares);
        if (assets > threshold) assets -= (assets - threshold) * lossBps / 1e4;
    }

    function _redeem(uint256 shares, address receiver, address owner, uint256 minAssets)
        private
        returns (uint256 assets)
    {
        if (msg.sender != owner) _spendAllowance(owner, msg.sender, shares);
        uint256 book = convertToAssets(shares);
        uint256 left = owner == exitQueue ? liquidity : availableLiquidity();
        require(book <= left, OutOfBounds(book, left));
        assets = previewRedeem(shares);
        require(assets >= minAssets, SlippageExceeded(assets, minAssets));
        if (accessPolicy != address(0)) receiver = IAccessPolicy(accessPolicy).exitReceiver(owner, receiver);
        _burn(owner, shares);
        totalAssets -= book;
        if (liquidity != type(uint128).max) liquidity -= book;
        IERC20(asset).safeTransfer(receiver, assets);
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(
            from == address(0) || to == address(0) || accessPolicy == address(0)
                || IAccessPolicy(accessPolicy).canTransfer(from, to),
            TransferRefused(from, to)
        );
        super._update(from, to, amount);
    }

    function _assets1() private view returns (uint256) {
        return totalAssets + 1;
    }

    function _shares1() private view returns (uint256) {
        return totalSupply() + _VIRTUAL;
    }
}
