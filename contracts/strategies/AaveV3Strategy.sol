// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {
    IAaveV3AddressesProvider,
    IAaveV3AToken,
    IAaveV3DataProvider,
    IAaveV3Pool,
    IAaveV3Rewards
} from "interfaces/external/IAaveV3.sol";
import {IStrategy} from "interfaces/strategies/IStrategy.sol";

import {Strategy} from "./Strategy.sol";

/// @title Lends the router's asset on Aave V3
/// @notice Worth its aTokens: scaled balance × liquidity index, as Aave itself counts. Never borrows. What it can give
/// back is bounded by what borrowers left in the pool, and by Aave's paused and inactive flags.
contract AaveV3Strategy is Strategy {
    using SafeERC20 for IERC20;
    using Math for uint256;

    uint256 private constant RAY = 1e27;

    IAaveV3AddressesProvider public immutable PROVIDER;
    IAaveV3AToken public immutable A_TOKEN;
    uint256 private immutable _UNIT;

    /// @notice The market does not list the router's asset.
    error NotListed(address asset);

    constructor(address router_, address provider, address authority_, address gate)
        Strategy(router_, authority_, gate, "Breakwater Aave V3", "bwAaveV3")
    {
        PROVIDER = IAaveV3AddressesProvider(provider);
        // The rest of the tuple says nothing that is needed here.
        // slither-disable-next-line unused-return
        (address aToken,,) = _data().getReserveTokensAddresses(asset());
        require(aToken != address(0), NotListed(asset()));
        A_TOKEN = IAaveV3AToken(aToken);
        _UNIT = 10 ** (decimals() - _decimalsOffset());
    }

    /// @inheritdoc IStrategy
    function rewardTokens() external view returns (address[] memory) {
        address rewards = A_TOKEN.getIncentivesController();
        if (rewards.code.length == 0) return new address[](0);
        return IAaveV3Rewards(rewards).getRewardsByAsset(address(A_TOKEN));
    }

    /// @inheritdoc IStrategy
    function claimRewards(address receiver)
        external
        restricted
        nonReentrant
        returns (address[] memory tokens, uint256[] memory amounts)
    {
        address rewards = A_TOKEN.getIncentivesController();
        if (rewards.code.length != 0) {
            address[] memory aTokens = new address[](1);
            aTokens[0] = address(A_TOKEN);
            (tokens, amounts) = IAaveV3Rewards(rewards).claimAllRewards(aTokens, receiver);
        }
        emit RewardsClaimed(msg.sender, receiver, tokens, amounts);
    }

    function _holdings() internal view override returns (uint256) {
        return A_TOKEN.balanceOf(address(this));
    }

    function _room() internal view override returns (uint256) {
        (bool active, bool frozen) = _flags();
        if (!active || frozen) return 0;
        // The rest of the tuple says nothing that is needed here.
        // slither-disable-next-line unused-return
        (, uint256 cap) = _data().getReserveCaps(asset());
        if (cap == 0) return type(uint256).max;
        // The rest of the tuple says nothing that is needed here.
        // slither-disable-next-line unused-return
        (, uint256 treasury,,,,,,,,,,) = _data().getReserveData(asset());
        // Aave counts towards the cap what it still owes its treasury; rounded up, since its own rounding
        // is to the nearest.
        uint256 supplied = (A_TOKEN.scaledTotalSupply() + treasury)
        .mulDiv(_pool().getReserveNormalizedIncome(asset()), RAY, Math.Rounding.Ceil);
        return (cap * _UNIT).saturatingSub(supplied);
    }

    function _liquidity() internal view override returns (uint256 liquid) {
        (bool active,) = _flags();
        if (!active) return 0;
        liquid = IERC20(asset()).balanceOf(address(A_TOKEN));
        (bool known, bytes memory answer) =
            address(_pool()).staticcall(abi.encodeCall(IAaveV3Pool.getVirtualUnderlyingBalance, (asset())));
        // From V3.1 on Aave pays out of this count, not out of its balance; older pools do not know the function.
        if (known && answer.length == 32) liquid = Math.min(liquid, abi.decode(answer, (uint128)));
    }

    function _put(uint256 assets) internal override {
        address pool = address(_pool());
        IERC20(asset()).forceApprove(pool, assets);
        IAaveV3Pool(pool).supply(asset(), assets, address(this), 0);
    }

    function _take(uint256 assets, uint256) internal override {
        // Aave pays what is asked or reverts; Strategy's transfer fails on less.
        // slither-disable-next-line unused-return
        _pool().withdraw(asset(), assets, address(this));
    }

    /// @dev Aave takes capital only if active, not paused and not frozen, and gives it back if active and not paused.
    function _flags() private view returns (bool active, bool frozen) {
        // The rest of the tuple says nothing that is needed here.
        // slither-disable-next-line unused-return
        (,,,,,,,, active, frozen) = _data().getReserveConfigurationData(asset());
        active = active && !_data().getPaused(asset());
    }

    function _pool() private view returns (IAaveV3Pool) {
        return IAaveV3Pool(PROVIDER.getPool());
    }

    /// @dev Read each time: Aave replaces its data provider on upgrades.
    function _data() private view returns (IAaveV3DataProvider) {
        return IAaveV3DataProvider(PROVIDER.getPoolDataProvider());
    }
}
