// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

interface ITrackedComet {
    function accrueAccount(address account) external;
    function baseAccrualScale() external view returns (uint64);
    function baseTrackingAccrued(address account) external view returns (uint64);
    function hasPermission(address owner, address manager) external view returns (bool);
}

/// @notice A double of Compound III's rewards contract: pays what a Comet has tracked, in the token that its governor set.
contract CometRewardsDouble {
    using SafeERC20 for IERC20;

    struct RewardConfig {
        address token;
        uint64 rescaleFactor;
        bool shouldUpscale;
        uint256 multiplier;
    }

    struct RewardOwed {
        address token;
        uint256 owed;
    }

    event RewardClaimed(address indexed src, address indexed recipient, address indexed token, uint256 amount);

    error AlreadyConfigured(address comet);
    error NotPermitted(address account);
    error NotSupported(address comet);

    uint256 private constant _FACTOR = 1e18;

    address public governor;
    mapping(address comet => RewardConfig) public rewardConfig;
    mapping(address comet => mapping(address account => uint256)) public rewardsClaimed;

    constructor(address governor_) {
        governor = governor_;
    }

    function setRewardConfig(address comet, address token) external {
        setRewardConfigWithMultiplier(comet, token, _FACTOR);
    }

    function setRewardConfigWithMultiplier(address comet, address token, uint256 multiplier) public {
        require(msg.sender == governor, NotPermitted(msg.sender));
        require(rewardConfig[comet].token == address(0), AlreadyConfigured(comet));
        uint64 tracked = ITrackedComet(comet).baseAccrualScale();
        uint64 unit = uint64(10 ** IERC20Metadata(token).decimals());
        bool up = unit >= tracked;
        rewardConfig[comet] = RewardConfig(token, up ? unit / tracked : tracked / unit, up, multiplier);
    }

    function withdrawToken(address token, address to, uint256 amount) external {
        require(msg.sender == governor, NotPermitted(msg.sender));
        IERC20(token).safeTransfer(to, amount);
    }

    function getRewardOwed(address comet, address account) external returns (RewardOwed memory) {
        RewardConfig memory config = _config(comet);
        ITrackedComet(comet).accrueAccount(account);
        return RewardOwed(config.token, _owed(comet, account, config));
    }

    function claim(address comet, address src, bool shouldAccrue) external {
        _claim(comet, src, src, shouldAccrue);
    }

    function claimTo(address comet, address src, address to, bool shouldAccrue) external {
        require(ITrackedComet(comet).hasPermission(src, msg.sender), NotPermitted(msg.sender));
        _claim(comet, src, to, shouldAccrue);
    }

    function _claim(address comet, address src, address to, bool shouldAccrue) private {
        RewardConfig memory config = _config(comet);
        if (shouldAccrue) ITrackedComet(comet).accrueAccount(src);
        uint256 owed = _owed(comet, src, config);
        if (owed == 0) return;
        rewardsClaimed[comet][src] += owed;
        IERC20(config.token).safeTransfer(to, owed);
        emit RewardClaimed(src, to, config.token, owed);
    }

    function _owed(address comet, address account, RewardConfig memory config) private view returns (uint256) {
        uint256 accrued = ITrackedComet(comet).baseTrackingAccrued(account);
        accrued = config.shouldUpscale ? accrued * config.rescaleFactor : accrued / config.rescaleFactor;
        accrued = accrued * config.multiplier / _FACTOR;
        uint256 claimed = rewardsClaimed[comet][account];
        return accrued > claimed ? accrued - claimed : 0;
    }

    function _config(address comet) private view returns (RewardConfig memory config) {
        config = rewardConfig[comet];
        require(config.token != address(0), NotSupported(comet));
    }
}
