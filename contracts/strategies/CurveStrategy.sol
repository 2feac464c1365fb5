// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ICurvePool, ICurvePool2, ICurvePool3} from "interfaces/external/ICurve.sol";
import {ICurveStrategy} from "interfaces/strategies/ICurveStrategy.sol";
import {IStrategy} from "interfaces/strategies/IStrategy.sol";

import {InKindStrategy} from "./InKindStrategy.sol";
import {Strategy} from "./Strategy.sol";

/// @title Liquidity in a Curve stable pool, entered and left in the router's asset alone
/// @notice Plain pools of two or three coins without native ether and without rebasing. A share is a part of the LP tokens:
/// who comes or goes pays the pool's fees and slippage himself, and the LP tokens behind the other shares never get fewer.
/// Who can leave: in a sound pool everybody at a loss of at most `exitLossBps`; in an imbalanced one as much as the pool
/// pays within that bound, at times nothing; from a killed pool, and whenever that is better, in LP tokens.
/// @dev The virtual price of older pools can be read wrong inside a call of the pool. Three things answer that: whatever
/// changes state here also calls the pool, whose lock then reverts; coins are tokens, so that no ether calls back; and a
/// virtual price beyond the bounded growth since it was last noted does not count.
contract CurveStrategy is InKindStrategy, ICurveStrategy {
    using SafeERC20 for IERC20;
    using Math for uint256;

    /// Virtual price and what was last found, in one slot.
    struct Noted {
        uint128 price;
        uint40 at;
        bool closed;
    }

    uint256 private constant BPS = 10_000;
    uint256 private constant WAD = 1e18;
    uint256 private constant FEE_UNIT = 1e10;
    uint256 private constant GROWTH_BPS_PER_YEAR = 2_000;
    uint256 private constant VIRTUAL_SHARES = 1e6;
    uint256 private constant MAX_ENTRY_LOSS_BPS = 500;
    /// What integer rounding inside the pool may take, LP tokens.
    uint256 private constant LP_NOISE = 100;
    /// Quotes asked for while looking for what can leave; each costs the gas of a few Newton steps.
    uint256 private constant BISECTIONS = 5;

    /// @inheritdoc ICurveStrategy
    ICurvePool public immutable POOL;
    /// @inheritdoc ICurveStrategy
    IERC20 public immutable LP_TOKEN;
    /// @notice How many coins the pool has, and which of them is the asset.
    uint256 public immutable COINS;
    uint256 public immutable PLACE;
    /// LP tokens that are worth one unit of the asset at a virtual price of one.
    uint256 private immutable _SCALE;
    /// What rounding inside the pool may take, assets.
    uint256 private immutable _NOISE;
    /// Per coin, eight bits: what its decimals lack to 18.
    uint256 private immutable _EXPONENTS;

    Limits private _limits;
    Noted private _noted;

    constructor(
        address router_,
        address pool,
        address lpToken,
        uint256 coinCount,
        Limits memory limits_,
        address authority_,
        address gate
    ) Strategy(router_, authority_, gate, "Breakwater Curve", "bwCurve") {
        require(coinCount == 2 || coinCount == 3, UnsupportedPool(pool));
        POOL = ICurvePool(pool);
        LP_TOKEN = IERC20(lpToken);
        COINS = coinCount;
        uint256 place = type(uint256).max;
        // All bytes are set in the loop below.
        // slither-disable-next-line uninitialized-local
        uint256 exponents;
        for (uint256 i; i < coinCount; ++i) {
            address coin = POOL.coins(i);
            require(coin.code.length != 0, UnsupportedPool(pool));
            uint256 decimals_ = IERC20Metadata(coin).decimals();
            require(decimals_ <= 18, UnsupportedPool(pool));
            exponents |= (18 - decimals_) << (8 * i);
            if (coin == asset()) place = i;
        }
        require(place != type(uint256).max, NotInPool(asset()));
        PLACE = place;
        _EXPONENTS = exponents;
        _SCALE = 10 ** (uint8(exponents >> (8 * place)));
        _NOISE = LP_NOISE / _SCALE + 2;
        _noted = Noted(uint128(POOL.get_virtual_price()), uint40(block.timestamp), false);
        _setLimits(limits_);
    }

    // ---- limits ----

    /// @inheritdoc ICurveStrategy
    function limits() external view returns (Limits memory) {
        return _limits;
    }

    /// @inheritdoc ICurveStrategy
    function setLimits(Limits calldata limits_) external restricted {
        _setLimits(limits_);
    }

    /// @inheritdoc ICurveStrategy
    function tightenEntry(uint16 entryLossBps, uint16 imbalanceBps) external restricted {
        Limits memory limits_ = _limits;
        require(entryLossBps <= limits_.entryLossBps && imbalanceBps <= limits_.imbalanceBps, InvalidLimits(limits_));
        limits_.entryLossBps = entryLossBps;
        limits_.imbalanceBps = imbalanceBps;
        _setLimits(limits_);
    }

    function _setLimits(Limits memory limits_) private {
        require(
            limits_.entryLossBps <= MAX_ENTRY_LOSS_BPS && limits_.exitLossBps < BPS && limits_.imbalanceBps < BPS,
            InvalidLimits(limits_)
        );
        _limits = limits_;
        emit LimitsSet(msg.sender, limits_);
    }

    // ---- what was found ----

    /// @inheritdoc ICurveStrategy
    function probe() external nonReentrant returns (bool closed) {
        // Takes nothing, but needs the pool's lock.
        bytes4 selector = COINS == 2 ? ICurvePool2.remove_liquidity.selector : ICurvePool3.remove_liquidity.selector;
        // Nothing is withdrawn: the call only asks for the pool's lock.
        // slither-disable-next-line unused-return
        Address.functionCall(address(POOL), abi.encodePacked(selector, uint256(0), new uint256[](COINS)));
        closed = _noted.closed;
        uint256 lp = Math.min(LP_TOKEN.balanceOf(address(this)), 10 * (_SCALE + LP_NOISE));
        if (lp != 0) {
            // probe is nonReentrant, and what it notes is the outcome of this very call.
            // slither-disable-next-line reentrancy-no-eth
            try POOL.remove_liquidity_one_coin(lp, _place(), 0) {
                closed = false;
            } catch {
                closed = true;
            }
        }
        _note(closed);
        emit PoolProbed(msg.sender, closed, _noted.price);
    }

    /// @inheritdoc ICurveStrategy
    function poolClosed() external view returns (bool) {
        return _noted.closed;
    }

    /// @inheritdoc ICurveStrategy
    function virtualPrice() public view returns (uint256) {
        Noted memory noted = _noted;
        uint256 grown = noted.price * GROWTH_BPS_PER_YEAR * (block.timestamp - noted.at) / (BPS * 365 days);
        return Math.min(POOL.get_virtual_price(), noted.price + grown);
    }

    /// @dev After a call that the pool's lock let through.
    function _note(bool closed) private {
        _noted = Noted(uint128(virtualPrice()), uint40(block.timestamp), closed);
    }

    // ---- ERC-4626 ----

    /// @inheritdoc IERC4626
    function previewDeposit(uint256 assets) public view override(ERC4626, IERC4626) returns (uint256) {
        return _toShares(_leastMinted(assets), Math.Rounding.Floor);
    }

    /// @inheritdoc IERC4626
    function previewMint(uint256 shares) public view override(ERC4626, IERC4626) returns (uint256) {
        if (shares == 0) return 0;
        // The least assets whose `_leastMinted` is enough.
        uint256 lp = _toLp(shares, Math.Rounding.Ceil) + LP_NOISE;
        lp = lp.mulDiv(BPS, BPS - _limits.entryLossBps, Math.Rounding.Ceil);
        return lp.mulDiv(virtualPrice(), WAD * _SCALE, Math.Rounding.Ceil);
    }

    /// @inheritdoc IERC4626
    function previewWithdraw(uint256 assets) public view override(ERC4626, IERC4626) returns (uint256) {
        return assets == 0 ? 0 : _toShares(_mostBurned(assets), Math.Rounding.Ceil);
    }

    /// @inheritdoc IERC4626
    function previewRedeem(uint256 shares) public view override(ERC4626, IERC4626) returns (uint256) {
        return _leastPaid(_toLp(shares, Math.Rounding.Floor));
    }

    /// @inheritdoc IERC4626
    /// @dev Burns the shares of the LP tokens that the pool really takes, at most `previewWithdraw`.
    function withdraw(uint256 assets, address receiver, address owner)
        public
        override(ERC4626, IERC4626)
        returns (uint256 shares)
    {
        uint256 most = maxWithdraw(owner);
        require(assets <= most, ERC4626ExceededMaxWithdraw(owner, assets, most));
        if (assets != 0) shares = _toShares(_burnedFor(assets), Math.Rounding.Ceil);
        _withdraw(msg.sender, receiver, owner, assets, shares);
    }

    /// @inheritdoc IERC4626
    /// @dev Pays what the pool really pays for the LP tokens, at least `previewRedeem`.
    function redeem(uint256 shares, address receiver, address owner)
        public
        override(ERC4626, IERC4626)
        returns (uint256 assets)
    {
        uint256 most = maxRedeem(owner);
        require(shares <= most, ERC4626ExceededMaxRedeem(owner, shares, most));
        uint256 least = previewRedeem(shares);
        if (least != 0) assets = _quote(_toLp(shares, Math.Rounding.Floor));
        require(assets >= least, ExitTooCostly(least, assets));
        _withdraw(msg.sender, receiver, owner, assets, shares);
    }

    /// @inheritdoc ICurveStrategy
    function quoteExit(uint256 shares) external view returns (uint256 paid, uint256 worth) {
        uint256 lp = _toLp(shares, Math.Rounding.Floor);
        return (_quote(lp), _worth(lp));
    }

    function _convertToShares(uint256 assets, Math.Rounding rounding) internal view override returns (uint256) {
        return _toShares(_toLpAtPar(assets, rounding), rounding);
    }

    function _convertToAssets(uint256 shares, Math.Rounding rounding) internal view override returns (uint256) {
        return _toLp(shares, rounding).mulDiv(virtualPrice(), WAD * _SCALE, rounding);
    }

    // ---- what the base asks ----

    function _holdings() internal view override returns (uint256) {
        uint256 lp = LP_TOKEN.balanceOf(address(this));
        // Without LP tokens there is nothing to value; a donated one is valued like any other.
        // slither-disable-next-line incorrect-equality
        return lp == 0 ? 0 : _worth(lp);
    }

    /// @dev Refuses a pool in which some coin is scarce, and what would make it so.
    function _room() internal view override returns (uint256 assets) {
        if (_noted.closed || LP_TOKEN.totalSupply() == 0) return 0;
        uint256 least = BPS - _limits.imbalanceBps;
        // Zero is where it starts.
        // slither-disable-next-line uninitialized-local
        uint256 total;
        uint256 scarcest = type(uint256).max;
        // Zero is where it starts.
        // slither-disable-next-line uninitialized-local
        uint256 own;
        for (uint256 i; i < COINS; ++i) {
            uint256 scaled = POOL.balances(i) * 10 ** uint8(_EXPONENTS >> (8 * i));
            total += scaled;
            if (i == PLACE) own = scaled;
            else if (scaled < scarcest) scarcest = scaled;
        }
        if (own * COINS * BPS < total * least) return 0;
        assets = (scarcest * COINS * BPS / least).saturatingSub(total) / _SCALE;
        for (uint256 i; i < BISECTIONS && assets != 0; ++i) {
            if (_surelyMinted(assets) >= _leastMinted(assets)) return assets;
            assets /= 2;
        }
        return 0;
    }

    function _liquidity() internal view override returns (uint256) {
        if (_noted.closed) return 0;
        uint256 high = LP_TOKEN.balanceOf(address(this));
        uint256 all = _leastPaid(high);
        if (_quote(high) >= all) return all;
        // The more leaves, the dearer: what can leave is an interval that begins at nothing.
        // Zero is where it starts.
        // slither-disable-next-line uninitialized-local
        uint256 low;
        for (uint256 i; i < BISECTIONS; ++i) {
            uint256 middle = (low + high) / 2;
            if (_quote(middle) >= _leastPaid(middle)) low = middle;
            else high = middle;
        }
        return _leastPaid(low);
    }

    function _put(uint256 assets) internal override {
        uint256 least = _leastMinted(assets);
        // With what earlier exits left over: the pool pays in whole units, never less than was asked for.
        uint256 added = IERC20(asset()).balanceOf(address(this));
        uint256 before = LP_TOKEN.balanceOf(address(this));
        IERC20(asset()).forceApprove(address(POOL), added);
        bytes4 selector = COINS == 2 ? ICurvePool2.add_liquidity.selector : ICurvePool3.add_liquidity.selector;
        // What was minted is held to the least in the same call; older pools return nothing.
        // slither-disable-next-line unused-return
        Address.functionCall(address(POOL), abi.encodePacked(selector, _amounts(added), least));
        uint256 minted = LP_TOKEN.balanceOf(address(this)) - before;
        require(minted >= least, TooLittleArrived(least, minted));
        _note(_noted.closed);
    }

    function _take(uint256 assets, uint256 shares) internal override {
        // As before the burn: the LP tokens behind these shares.
        uint256 held = LP_TOKEN.balanceOf(address(this));
        uint256 lp = shares.mulDiv(held + _SCALE, totalSupply() + shares + VIRTUAL_SHARES);
        uint256 before = IERC20(asset()).balanceOf(address(this));
        // What arrives is measured as a difference on purpose; Strategy holds its lock over this call.
        // slither-disable-next-line reentrancy-balance
        POOL.remove_liquidity_one_coin(Math.min(lp, held), _place(), assets);
        uint256 arrived = IERC20(asset()).balanceOf(address(this)) - before;
        require(arrived >= assets, TooLittleArrived(assets, arrived));
        _note(false);
    }

    function _partInKind(uint256 shares) internal view override returns (address, uint256) {
        return (address(LP_TOKEN), _toLp(shares, Math.Rounding.Floor));
    }

    function _sendInKind(address receiver, uint256 amount) internal override {
        LP_TOKEN.safeTransfer(receiver, amount);
    }

    // ---- rewards: none, the LP tokens are in no gauge ----

    /// @inheritdoc IStrategy
    function rewardTokens() external pure returns (address[] memory tokens) {
        return tokens;
    }

    /// @inheritdoc IStrategy
    function claimRewards(address receiver)
        external
        restricted
        nonReentrant
        returns (address[] memory tokens, uint256[] memory amounts)
    {
        emit RewardsClaimed(msg.sender, receiver, tokens, amounts);
    }

    // ---- LP tokens, shares and assets ----

    function _toShares(uint256 lp, Math.Rounding rounding) private view returns (uint256) {
        require(!_reentrancyGuardEntered(), ReentrancyGuardReentrantCall());
        return lp.mulDiv(totalSupply() + VIRTUAL_SHARES, LP_TOKEN.balanceOf(address(this)) + _SCALE, rounding);
    }

    function _toLp(uint256 shares, Math.Rounding rounding) private view returns (uint256) {
        require(!_reentrancyGuardEntered(), ReentrancyGuardReentrantCall());
        uint256 held = LP_TOKEN.balanceOf(address(this));
        return shares.mulDiv(held + _SCALE, totalSupply() + VIRTUAL_SHARES, rounding);
    }

    function _worth(uint256 lp) private view returns (uint256) {
        return lp.mulDiv(virtualPrice(), WAD * _SCALE);
    }

    function _toLpAtPar(uint256 assets, Math.Rounding rounding) private view returns (uint256) {
        return assets.mulDiv(WAD * _SCALE, virtualPrice(), rounding);
    }

    /// @dev LP tokens that `assets` must bring.
    function _leastMinted(uint256 assets) private view returns (uint256) {
        uint256 lp = _toLpAtPar(assets, Math.Rounding.Floor);
        return lp.mulDiv(BPS - _limits.entryLossBps, BPS).saturatingSub(LP_NOISE);
    }

    /// @dev Assets that `lp` must bring.
    function _leastPaid(uint256 lp) private view returns (uint256) {
        // Without LP tokens there is nothing to value; a donated one is valued like any other.
        // slither-disable-next-line incorrect-equality
        return lp == 0 ? 0 : _worth(lp).mulDiv(BPS - _limits.exitLossBps, BPS).saturatingSub(_NOISE);
    }

    /// @dev LP tokens that `assets` may cost: the least whose `_leastPaid` is `assets`.
    function _mostBurned(uint256 assets) private view returns (uint256) {
        uint256 worth = (assets + _NOISE).mulDiv(BPS, BPS - _limits.exitLossBps, Math.Rounding.Ceil);
        return _toLpAtPar(worth, Math.Rounding.Ceil);
    }

    /// @dev LP tokens that bring `assets` now. What the pool pays is concave in what is burned: a part of an amount brings
    /// at least that part of its proceeds. One unit and the noise on top outweigh integer rounding.
    function _burnedFor(uint256 assets) private view returns (uint256) {
        uint256 most = _mostBurned(assets);
        uint256 paid = _quote(most);
        require(paid >= assets, ExitTooCostly(assets, paid));
        return Math.min(most, most.mulDiv(assets, paid, Math.Rounding.Ceil) + 2 * _SCALE + LP_NOISE);
    }

    // ---- the pool ----

    /// @dev What the pool pays for so many LP tokens; 0 if it cannot say.
    function _quote(uint256 lp) private view returns (uint256) {
        // Without LP tokens there is nothing to value; a donated one is valued like any other.
        // slither-disable-next-line incorrect-equality
        if (lp == 0) return 0;
        try POOL.calc_withdraw_one_coin(lp, _place()) returns (uint256 paid) {
            return paid;
        } catch {
            return 0;
        }
    }

    /// @dev LP tokens that `assets` bring at least: the pool's quote knows no fee in older pools, and the fee on a deposit of
    /// one coin is at most twice the imbalance fee.
    function _surelyMinted(uint256 assets) private view returns (uint256) {
        bytes4 selector = COINS == 2 ? ICurvePool2.calc_token_amount.selector : ICurvePool3.calc_token_amount.selector;
        (bool ok, bytes memory answer) =
            address(POOL).staticcall(abi.encodePacked(selector, _amounts(assets), uint256(1)));
        if (!ok || answer.length < 32) return 0;
        // The pool itself computes the imbalance fee with this rounding; two units are kept in reserve.
        // slither-disable-next-line divide-before-multiply
        uint256 imbalanceFee = POOL.fee() * COINS / (4 * (COINS - 1));
        return abi.decode(answer, (uint256)).mulDiv(FEE_UNIT.saturatingSub(2 * imbalanceFee + 1), FEE_UNIT);
    }

    function _amounts(uint256 assets) private view returns (uint256[] memory amounts) {
        amounts = new uint256[](COINS);
        amounts[PLACE] = assets;
    }

    function _place() private view returns (int128) {
        return int128(uint128(PLACE));
    }
}
