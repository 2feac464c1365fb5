// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

interface IOpenMint {
    function mint(address to, uint256 amount) external;
}

/// @notice An aToken whose market may do with it what it likes; its index stays one.
contract ATokenDouble is ERC20 {
    IERC20 private immutable ASSET;
    address public getIncentivesController;

    constructor(IERC20 asset) ERC20("AToken double", "aDBL") {
        ASSET = asset;
    }

    function setController(address controller) external {
        getIncentivesController = controller;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function pay(address from, address to, uint256 amount) external {
        _burn(from, amount);
        ASSET.transfer(to, amount);
    }
}

/// @notice All parts of an Aave V3 market in one, of one reserve that is open and has no cap. It can be as one before
/// V3.1, without a count of what is available, or as one from then on.
contract AaveMarketDouble {
    enum Count {
        UNKNOWN,
        KNOWN,
        TOO_LONG
    }

    error NoCount();

    address private immutable _asset;
    ATokenDouble private immutable _aToken;
    Count private _count;
    uint128 private _available;

    constructor(address asset, ATokenDouble aToken) {
        _asset = asset;
        _aToken = aToken;
    }

    function setCount(Count count, uint128 available) external {
        _count = count;
        _available = available;
    }

    function getPool() external view returns (address) {
        return address(this);
    }

    function getPoolDataProvider() external view returns (address) {
        return address(this);
    }

    /// @dev As Aave's: zeros for what it does not list.
    function getReserveTokensAddresses(address asset) external view returns (address aToken, address, address) {
        if (asset == _asset) aToken = address(_aToken);
    }

    function getReserveConfigurationData(address asset)
        external
        view
        returns (uint256, uint256, uint256, uint256, uint256, bool, bool, bool, bool active, bool)
    {
        active = asset == _asset;
    }

    function getPaused(address) external pure returns (bool) {
        return false;
    }

    function getReserveCaps(address) external pure returns (uint256, uint256) {
        return (0, 0);
    }

    function getVirtualUnderlyingBalance(address) external view returns (uint128) {
        require(_count != Count.UNKNOWN, NoCount());
        uint256 size = _count == Count.KNOWN ? 32 : 64;
        uint256 available = _available;
        assembly ("memory-safe") {
            mstore(0, available)
            mstore(32, 0)
            return(0, size)
        }
    }

    function supply(address asset, uint256 amount, address onBehalfOf, uint16) external {
        IERC20(asset).transferFrom(msg.sender, address(_aToken), amount);
        _aToken.mint(onBehalfOf, amount);
    }

    function withdraw(address, uint256 amount, address to) external returns (uint256) {
        _aToken.pay(msg.sender, to, amount);
        return amount;
    }
}

/// @notice A rewards controller that owes a fixed amount of one token to whoever claims, and says for what he did.
contract AaveRewardsDouble {
    event Claimed(address by, address[] assets, address to);

    error WrongAsset(address asset);

    address private immutable _aToken;
    address private immutable _reward;
    uint256 private immutable _amount;

    constructor(address aToken, address reward, uint256 amount) {
        (_aToken, _reward, _amount) = (aToken, reward, amount);
    }

    function getRewardsByAsset(address asset) external view returns (address[] memory tokens) {
        require(asset == _aToken, WrongAsset(asset));
        tokens = new address[](1);
        tokens[0] = _reward;
    }

    function claimAllRewards(address[] calldata assets, address to)
        external
        returns (address[] memory tokens, uint256[] memory amounts)
    {
        (tokens, amounts) = (new address[](1), new uint256[](1));
        (tokens[0], amounts[0]) = (_reward, _amount);
        IOpenMint(_reward).mint(to, _amount);
        emit Claimed(msg.sender, assets, to);
    }
}
