// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IRouterVault} from "interfaces/capital/IRouterVault.sol";
import {IAccessPolicy} from "interfaces/compliance/IAccessPolicy.sol";
import {ICircuitBreaker} from "interfaces/safety/ICircuitBreaker.sol";
import {EmergencyState} from "interfaces/safety/IEmergencyTarget.sol";

import {Meter} from "contracts/safety/lib/Meter.sol";

import {RouterShares} from "./RouterShares.sol";
import {DebtSlot} from "./lib/DebtSlot.sol";
import {ExitMath} from "./lib/ExitMath.sol";
import {Guarded} from "./lib/Guarded.sol";
import {HotSlot} from "./lib/HotSlot.sol";

/// @title How capital leaves the router: from idle, through strategies, or in kind
/// @dev An exit has a gross size, the book value of the shares burned, and a net one, what is paid. They differ only by
/// losses that strategies have not reported yet (ExitMath). Idle pays first, then each strategy of the exit order.
/// While a loss is under review every exit is priced after all losses, whoever pays it: then its size is what is paid,
/// and what is called gross below is that.
abstract contract RouterExits is RouterShares {
    using SafeERC20 for IERC20;
    using HotSlot for uint256;
    using DebtSlot for uint256;
    using ExitMath for ExitMath.Source;

    /// What is still to be found, and from where.
    struct Need {
        /// Redeeming: gross still to take. Withdrawing: net still to pay.
        uint256 rest;
        bool redeeming;
        /// Gross and net found in strategies.
        uint256 gross;
        uint256 net;
    }

    /// What one strategy may burn while it pays.
    uint256 private constant PULL_GAS = 2_000_000;

    // ---- redeem and withdraw ----

    function _redeem(uint256 shares, address receiver, address owner, uint256 minAssets, address[] memory named)
        internal
        returns (uint256 assets)
    {
        if (shares == 0) revert ZeroAmount();
        uint256 hot = _beginExit(owner, receiver, shares);
        uint256 slot = _debtSlot;
        (uint256 assets1, uint256 shares1) = _exitRatio(hot, slot);
        uint256 gross = _down(shares, assets1, shares1);
        uint256 idle_ = hot.idle();
        if (hot.has(HotSlot.QUEUE)) _requireUnowed(hot, gross, owner, assets1, shares1);

        uint256 fromIdle = gross < idle_ ? gross : idle_;
        _burnFrom(owner, shares);
        _hot = hot.withAmounts(hot.supply() - shares, idle_ - fromIdle) | HotSlot.LOCK;
        assets = fromIdle;
        if (gross > fromIdle) {
            Need memory need = Need({rest: gross - fromIdle, redeeming: !hot.has(HotSlot.REVIEW), gross: 0, net: 0});
            // The router's lock is held in the hot slot until the exit has ended; views are locked with it.
            // slither-disable-next-line reentrancy-no-eth
            _takeFromStrategies(need, owner, named);
            _requireFound(gross, need.rest);
            _debtSlot = slot.withDebt(slot.debt() - need.gross);
            assets += need.net;
        }
        _requireAtLeast(assets, minAssets);
        _pay(assets, shares, _exitReceiver(hot, owner, receiver), owner);
    }

    function _withdraw(uint256 assets, address receiver, address owner, uint256 maxShares)
        internal
        returns (uint256 shares)
    {
        if (assets == 0) revert ZeroAmount();
        uint256 hot = _beginExit(owner, receiver, 0);
        uint256 slot = _debtSlot;
        (uint256 assets1, uint256 shares1) = _exitRatio(hot, slot);
        uint256 idle_ = hot.idle();
        uint256 fromIdle = assets < idle_ ? assets : idle_;
        uint256 gross = assets;
        if (assets > fromIdle) {
            // What a strategy's loss adds to the price is known only after it paid: lock first, burn afterwards.
            _hot = hot | HotSlot.LOCK;
            if (hot.has(HotSlot.QUEUE)) {
                (gross,) = _walk(hot, type(uint256).max, assets, true);
                _requireUnowed(hot, gross, owner, assets1, shares1);
            }
            Need memory need = Need({rest: assets - fromIdle, redeeming: false, gross: 0, net: 0});
            // The router's lock is held in the hot slot until the exit has ended; views are locked with it.
            // slither-disable-next-line reentrancy-no-eth
            _takeFromStrategies(need, owner, new address[](0));
            _requireFound(assets, need.rest);
            _debtSlot = slot.withDebt(slot.debt() - need.gross);
            gross = hot.has(HotSlot.REVIEW) ? assets : fromIdle + need.gross;
            hot = _hot;
        } else if (hot.has(HotSlot.QUEUE)) {
            _requireUnowed(hot, gross, owner, assets1, shares1);
        }
        shares = _up(gross, shares1, assets1);
        if (shares > maxShares) revert SlippageExceeded(shares, maxShares);
        _spendAllowance(owner, shares);
        _burnFrom(owner, shares);
        _hot = hot.withAmounts(hot.supply() - shares, idle_ - fromIdle) | HotSlot.LOCK;
        _pay(assets, shares, _exitReceiver(hot, owner, receiver), owner);
    }

    /// @dev `shares` 0: how many shares it takes is not known yet.
    function _beginExit(address owner, address receiver, uint256 shares) private returns (uint256 hot) {
        hot = _unlocked();
        _requireState(hot, EmergencyState.WITHDRAW_ONLY);
        if (receiver == address(0)) revert ZeroAddress();
        if (shares != 0) _spendAllowance(owner, shares);
    }

    function _pay(uint256 assets, uint256 shares, address to, address owner) private {
        emit Withdraw(msg.sender, to, owner, assets, shares);
        if (assets != 0) {
            if (_breaker != address(0)) Meter.outflow(ICircuitBreaker(_breaker), _asset, assets);
            IERC20(_asset).safeTransfer(to, assets);
        }
        _hot &= ~HotSlot.LOCK;
    }

    /// @dev The policy may redirect an exit, never refuse it: if it fails, the owner himself is paid.
    function _exitReceiver(uint256 hot, address owner, address receiver) private view returns (address) {
        if (!hot.has(HotSlot.POLICY)) return receiver;
        (bool ok, uint256 to) = Guarded.readWord(_policy, abi.encodeCall(IAccessPolicy.exitReceiver, (owner, receiver)));
        return ok && to != 0 && to <= type(uint160).max && to != uint160(address(this)) ? address(uint160(to)) : owner;
    }

    /// @dev While shares are queued, others take only what exceeds the queue's claim. The queue's own shares go first.
    function _requireUnowed(uint256 hot, uint256 gross, address owner, uint256 assets1, uint256 shares1) private view {
        uint256 free = _freeGross(hot, owner, gross, assets1, shares1);
        if (gross > free) _requireFound(gross, gross - free);
    }

    function _requireFound(uint256 wanted, uint256 missing) private pure {
        if (missing != 0) revert InsufficientLiquidity(wanted, wanted - missing);
    }

    // ---- strategies pay ----

    function _takeFromStrategies(Need memory need, address owner, address[] memory named) private {
        bool byName = named.length != 0;
        uint256 count = byName ? named.length : _exitOrder.length;
        for (uint256 i = 0; i < count && need.rest != 0; ++i) {
            address strategy = byName ? named[i] : _exitOrder[i];
            if (byName && !_info[strategy].active) revert UnknownStrategy(strategy);
            bool failed = !_takeFrom(strategy, need, owner);
            if (failed && byName) revert InvalidStrategy(strategy);
        }
    }

    /// @dev Takes what `need` lacks and `strategy` can pay. False if the strategy failed; then nothing changed.
    function _takeFrom(address strategy, Need memory need, address owner) private returns (bool) {
        ExitMath.Source memory s = _source(strategy);
        if (s.gross == 0) return s.debt != 0 || _info[strategy].debt == 0;
        uint256 gross;
        uint256 net;
        if (need.redeeming) {
            gross = need.rest < s.gross ? need.rest : s.gross;
            net = s.netDown(gross);
        } else {
            net = s.netDown(s.gross);
            if (net > need.rest) net = need.rest;
            gross = s.grossUp(net);
        }
        // Zero is where it starts.
        // slither-disable-next-line uninitialized-local
        uint256 burned;
        if (net != 0) {
            // The call to itself makes all that the strategy did undone if it failed.
            // The router's lock is held over the exit; debt falls by what the strategy was really asked for.
            // slither-disable-next-line reentrancy-no-eth
            try this.pull{gas: PULL_GAS}(strategy, net, s.shares) returns (uint256 burned_) {
                burned = burned_;
            } catch {
                Guarded.requireGas(PULL_GAS);
                return false;
            }
        }
        _info[strategy].debt = uint112(s.debt - gross);
        _info[strategy].shares = uint128(s.shares - burned);
        need.rest -= need.redeeming ? gross : net;
        need.gross += gross;
        need.net += net;
        emit DebtMoved(bytes32(0), strategy, false, net, burned, s.debt - gross, _hot.idle());
        if (gross != net) emit ExitLossTaken(owner, strategy, gross, net);
        return true;
    }

    /// @inheritdoc IRouterVault
    function pull(address strategy, uint256 assets, uint256 sharesHeld) external returns (uint256 burned) {
        if (msg.sender != address(this)) revert OnlySelf();
        uint256 before = IERC20(_asset).balanceOf(address(this));
        (bool ok, bool answered, uint256 answer) =
            Guarded.call(strategy, abi.encodeCall(IERC4626.withdraw, (assets, address(this), address(this))), PULL_GAS);
        if (!ok || !answered || answer > sharesHeld) revert InvalidStrategy(strategy);
        burned = answer;
        uint256 arrived = IERC20(_asset).balanceOf(address(this)) - before;
        if (arrived < assets) revert AssetsArrivedDiffer(assets, arrived);
        // The books must never count shares that are not there.
        (bool known, uint256 left) = Guarded.readWord(strategy, abi.encodeCall(IERC20.balanceOf, (address(this))));
        if (!known || left < sharesHeld - burned) revert InvalidStrategy(strategy);
    }

    // ---- in kind ----

    /// @inheritdoc IRouterVault
    function redeemInKind(uint256 shares, address receiver, address owner)
        external
        returns (uint256 assets, address[] memory strategies_, uint256[] memory strategyShares)
    {
        if (shares == 0) revert ZeroAmount();
        uint256 hot = _beginExit(owner, receiver, shares);
        _hot = hot | HotSlot.LOCK;
        uint256 slot = _debtSlot;
        (, uint256 shares1) = _ratio(hot, slot);
        assets = _down(hot.idle(), shares, shares1);
        uint256 debtTaken;
        (strategies_, strategyShares, debtTaken) = _sharesInKind(shares, shares1);

        _burnFrom(owner, shares);
        _hot = hot.withAmounts(hot.supply() - shares, hot.idle() - assets) | HotSlot.LOCK;
        _debtSlot = slot.withDebt(slot.debt() - debtTaken);
        address to = _exitReceiver(hot, owner, receiver);
        emit InKindRedeemed(owner, to, shares, assets, strategies_, strategyShares);
        for (uint256 i = 0; i < strategies_.length; ++i) {
            if (strategyShares[i] != 0) _sendInKind(strategies_[i], to, strategyShares[i]);
        }
        _pay(assets, shares, to, owner);
    }

    /// @inheritdoc IRouterVault
    function claimInKind(address strategy, address account) external locked returns (uint256 strategyShares) {
        _requireState(_hot, EmergencyState.WITHDRAW_ONLY);
        strategyShares = _owed[strategy][account];
        if (strategyShares == 0) revert ZeroAmount();
        _owed[strategy][account] = 0;
        _totalOwed[strategy] -= strategyShares;
        emit InKindClaimed(account, strategy, strategyShares);
        IERC20(strategy).safeTransfer(account, strategyShares);
    }

    function _sharesInKind(uint256 shares, uint256 shares1)
        private
        returns (address[] memory strategies_, uint256[] memory strategyShares, uint256 debtTaken)
    {
        strategies_ = _strategies;
        strategyShares = new uint256[](strategies_.length);
        for (uint256 i = 0; i < strategies_.length; ++i) {
            StrategyInfo storage info = _info[strategies_[i]];
            uint256 held = info.shares;
            uint256 debt = info.debt;
            uint256 part = _down(held, shares, shares1);
            (bool ok, uint256 worth) = _worth(strategies_[i], held);
            // A gain that is not reported yet belongs to those who stay, as in every other exit.
            if (ok && worth > debt) part = part * debt / worth;
            uint256 debtPart = _down(debt, shares, shares1);
            info.shares = uint128(held - part);
            info.debt = uint112(debt - debtPart);
            strategyShares[i] = part;
            debtTaken += debtPart;
            if (debtPart != 0) {
                emit DebtMoved(bytes32(0), strategies_[i], false, 0, part, debt - debtPart, _hot.idle());
            }
        }
    }

    function _sendInKind(address strategy, address to, uint256 amount) private {
        if (_breaker != address(0)) Meter.outflow(ICircuitBreaker(_breaker), strategy, amount);
        (bool ok, bool answered, uint256 answer) =
            Guarded.call(strategy, abi.encodeCall(IERC20.transfer, (to, amount)), Guarded.READ_GAS);
        if (ok && (!answered || answer == 1)) return;
        _owed[strategy][to] += amount;
        _totalOwed[strategy] += amount;
        emit InKindOwed(to, strategy, amount);
    }

    // ---- what exits would do ----

    /// @inheritdoc IERC4626
    function previewRedeem(uint256 shares) external view returns (uint256 assets) {
        uint256 hot = _unlocked();
        (uint256 assets1, uint256 shares1) = _exitRatio(hot, _debtSlot);
        uint256 gross = _down(shares, assets1, shares1);
        if (gross <= hot.idle()) return gross;
        (uint256 found, uint256 net) = _walk(hot, gross, type(uint256).max, false);
        // What no strategy can pay now counts at book value: a preview knows no limits.
        return net + (gross - found);
    }

    /// @inheritdoc IERC4626
    function previewWithdraw(uint256 assets) external view returns (uint256 shares) {
        uint256 hot = _unlocked();
        (uint256 assets1, uint256 shares1) = _exitRatio(hot, _debtSlot);
        uint256 gross = assets;
        if (assets > hot.idle()) {
            uint256 net;
            (gross, net) = _walk(hot, type(uint256).max, assets, true);
            gross += assets - net;
        }
        return _up(gross, shares1, assets1);
    }

    /// @inheritdoc IERC4626
    function maxWithdraw(address owner) external view returns (uint256 assets) {
        uint256 hot = _hot;
        if (_exitsStopped(hot)) return 0;
        (uint256 assets1, uint256 shares1) = _exitRatio(hot, _debtSlot);
        uint256 gross = _down(_balances[owner], assets1, shares1);
        uint256 free = _freeGross(hot, owner, gross, assets1, shares1);
        if (free < gross) gross = free;
        (, assets) = _walk(hot, gross, _allowance(), true);
    }

    /// @inheritdoc IERC4626
    function maxRedeem(address owner) external view returns (uint256 shares) {
        uint256 hot = _hot;
        if (_exitsStopped(hot)) return 0;
        (uint256 assets1, uint256 shares1) = _exitRatio(hot, _debtSlot);
        shares = _balances[owner];
        uint256 gross = _down(shares, assets1, shares1);
        uint256 free = _freeGross(hot, owner, gross, assets1, shares1);
        (uint256 found,) = _walk(hot, free < gross ? free : gross, _allowance(), false);
        // Most shares whose book value is no more than what can be found.
        if (found < gross) shares = ((found + 1) * shares1 - 1) / assets1;
    }

    /// @inheritdoc IRouterVault
    function availableLiquidity() external view returns (uint256 assets) {
        uint256 hot = _hot;
        if (_exitsStopped(hot)) return 0;
        (uint256 assets1, uint256 shares1) = _exitRatio(hot, _debtSlot);
        uint256 free = _freeGross(hot, address(0), type(uint128).max, assets1, shares1);
        (, assets) = _walk(hot, free, _allowance(), false);
    }

    /// @dev Follows the exit order up to `grossLimit` and `netLimit`, as an exit of that size would. `least`: the gross
    /// that a withdrawal of `netLimit` burns; else the greatest gross that pays no more than `netLimit`.
    function _walk(uint256 hot, uint256 grossLimit, uint256 netLimit, bool least)
        private
        view
        returns (uint256 gross, uint256 net)
    {
        bool review = hot.has(HotSlot.REVIEW);
        if (review) {
            if (grossLimit < netLimit) netLimit = grossLimit;
            (grossLimit, least) = (type(uint256).max, true);
        }
        gross = hot.idle();
        if (gross > grossLimit) gross = grossLimit;
        if (netLimit < gross) return (netLimit, netLimit);
        net = gross;
        uint256 count = _exitOrder.length;
        for (uint256 i = 0; i < count && gross < grossLimit; ++i) {
            if (least && net == netLimit) break;
            ExitMath.Source memory s = _source(_exitOrder[i]);
            if (s.gross == 0) continue;
            uint256 takes = grossLimit - gross;
            if (takes > s.gross) takes = s.gross;
            uint256 pays = s.netDown(takes);
            bool drained = takes == s.gross || (least && pays == s.netDown(s.gross));
            if (pays > netLimit - net) {
                drained = false;
                pays = netLimit - net;
                takes = s.grossMax(pays);
            }
            gross += least ? s.grossUp(pays) : takes;
            net += pays;
            if (!drained) break;
        }
        if (review) gross = net;
    }

    /// @dev Gross that `owner` may take while others wait in the queue, which goes first at the money and at the meter.
    function _freeGross(uint256 hot, address owner, uint256 wanted, uint256 assets1, uint256 shares1)
        private
        view
        returns (uint256)
    {
        if (!hot.has(HotSlot.QUEUE) || owner == _queue) return wanted;
        uint256 owed = _up(_limits.queuedShares, assets1, shares1);
        uint256 allowed = _allowance();
        uint256 both = wanted + owed;
        if (both <= hot.idle() && both <= allowed) return wanted;
        (uint256 liquid,) = _walk(hot, type(uint256).max, allowed, false);
        return liquid > owed ? liquid - owed : 0;
    }

    /// @dev The price of an exit: while a loss is under review, after every loss that is not in the books.
    function _exitRatio(uint256 hot, uint256 slot) internal view returns (uint256 assets1, uint256 shares1) {
        (assets1, shares1) = _ratio(hot, slot);
        if (!hot.has(HotSlot.REVIEW)) return (assets1, shares1);
        uint256 count = _strategies.length;
        for (uint256 i = 0; i < count; ++i) {
            address strategy = _strategies[i];
            uint256 debt = _info[strategy].debt;
            if (debt == 0) continue;
            // A strategy that cannot be read counts at book value: whoever calls from inside it must
            // not fake a drawdown.
            (bool ok, uint256 worth) = _worth(strategy, _info[strategy].shares);
            if (ok && worth < debt) assets1 -= debt - worth;
        }
    }

    function _exitsStopped(uint256 hot) private pure returns (bool) {
        return hot.has(HotSlot.LOCK) || hot.state() == EmergencyState.FROZEN;
    }

    /// @dev What the breaker lets out now; one that cannot say is broken and holds nobody (Meter).
    function _allowance() private view returns (uint256) {
        if (_breaker == address(0)) return type(uint256).max;
        (bool ok, uint256 available) =
            Guarded.readWord(_breaker, abi.encodeCall(ICircuitBreaker.available, (address(this), _asset)));
        return ok ? available : type(uint256).max;
    }
}
