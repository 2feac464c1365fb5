// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Meter} from "contracts/safety/lib/Meter.sol";
import {ICircuitBreaker} from "interfaces/safety/ICircuitBreaker.sol";

/// @notice Passes calls on, so that a role is held by a contract, as a Safe is, and not by who signs.
contract Relay {
    function forward(address to, bytes calldata data) external returns (bytes memory answer) {
        bool ok;
        (ok, answer) = to.call(data);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer))
            }
        }
    }
}

/// @notice Asks with just so much gas.
contract Asker {
    function ask(address to, uint256 gasCap, bytes calldata data) external view returns (uint256) {
        (, bytes memory answer) = to.staticcall{gas: gasCap}(data);
        return abi.decode(answer, (uint256));
    }
}

/// @notice A double of the oracle that says whatever it is told to.
contract OracleDouble {
    error Down();

    uint256 public current = 1e18;
    uint256[] public answered;
    bool public down;

    function set(uint256 current_, uint256[] calldata answered_, bool down_) external {
        (current, answered, down) = (current_, answered_, down_);
    }

    function price(address) external view returns (uint256) {
        if (down) revert Down();
        return current;
    }

    function answers(address) external view returns (uint256[] memory) {
        if (down) revert Down();
        return answered;
    }
}

/// @notice A token that tells a balance to its holder only, once it is shy.
contract ShyToken {
    uint8 public decimals = 6;
    mapping(address account => uint256 balance) private _balances;
    bool public shy;

    function mint(address to, uint256 amount) external {
        _balances[to] += amount;
    }

    function setShy(bool shy_) external {
        shy = shy_;
    }

    function setDecimals(uint8 decimals_) external {
        decimals = decimals_;
    }

    function balanceOf(address account) external view returns (uint256) {
        require(!shy || msg.sender == account, "shy");
        return _balances[account];
    }
}

/// @notice A meter that looks at all that ever left: what the breaker's hook must not be.
contract HistoryMeter {
    uint256[] private _left;

    function onOutflow(address, uint256 assets) external {
        uint256 sum;
        for (uint256 i; i < _left.length; ++i) {
            sum += _left[i];
        }
        require(sum + assets > sum, "overflow");
        _left.push(assets);
    }
}

/// @notice A breaker that works, or fails in one of the ways in which code can fail.
contract BrokenBreaker {
    enum Mode {
        WORKS,
        LIMIT,
        SILENT,
        OTHER_ERROR,
        NAME_ONLY,
        LONGER,
        PANICS,
        BURNS,
        HUNGRY
    }

    error OtherError(address target, address asset, uint256 assets, uint256 available);

    /// Works on so much gas before it says that the limit is reached.
    uint256 private constant APPETITE = 250_000;

    Mode public mode;

    function arm(Mode mode_) external {
        mode = mode_;
    }

    function onOutflow(address asset, uint256 assets) external view {
        _answer(asset, assets);
    }

    function onInflow(address asset, uint256 assets) external view {
        _answer(asset, assets);
    }

    function _answer(address asset, uint256 assets) private view {
        bytes4 name = ICircuitBreaker.OutflowLimitExceeded.selector;
        if (mode == Mode.LIMIT) revert ICircuitBreaker.OutflowLimitExceeded(msg.sender, asset, assets, 1);
        if (mode == Mode.SILENT) _revertWith("");
        if (mode == Mode.OTHER_ERROR) revert OtherError(msg.sender, asset, assets, 1);
        if (mode == Mode.NAME_ONLY) _revertWith(abi.encodePacked(name));
        if (mode == Mode.LONGER) _revertWith(abi.encodePacked(name, new bytes(5_000)));
        if (mode == Mode.PANICS) assert(false);
        if (mode == Mode.BURNS) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        if (mode == Mode.HUNGRY) {
            uint256 before = gasleft();
            while (before - gasleft() < APPETITE) {}
            revert ICircuitBreaker.OutflowLimitExceeded(msg.sender, asset, assets, 1);
        }
    }

    function _revertWith(bytes memory data) private pure {
        assembly ("memory-safe") {
            revert(add(data, 0x20), mload(data))
        }
    }
}

/// @notice A target that does nothing but report.
contract Reporter {
    ICircuitBreaker private immutable _breaker;

    constructor(ICircuitBreaker breaker) {
        _breaker = breaker;
    }

    function leave(address asset, uint256 assets) external {
        Meter.outflow(_breaker, asset, assets);
    }

    function come(address asset, uint256 assets) external {
        Meter.inflow(_breaker, asset, assets);
    }
}
