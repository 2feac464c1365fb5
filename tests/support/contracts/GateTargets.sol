// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEmergencyGate} from "interfaces/safety/IEmergencyGate.sol";
import {EmergencyState, IEmergencyTarget} from "interfaces/safety/IEmergencyTarget.sol";

/// @notice Gives the interface an artifact of its own, to compare with the Vyper contract's.
interface SolidityEmergencyGate is IEmergencyGate {}

/// @notice The smallest contract that keeps the promise of an emergency target.
contract HonestTarget is IEmergencyTarget {
    address public immutable emergencyGate;
    EmergencyState public emergencyState;

    constructor(address gate) {
        emergencyGate = gate;
    }

    function setEmergencyState(EmergencyState state) external {
        if (msg.sender != emergencyGate) revert NotEmergencyGate(msg.sender);
        emit EmergencyStateSet(msg.sender, emergencyState, state);
        emergencyState = state;
    }
}

/// @notice A target that was honest when it was registered and turns on the gate later.
contract HostileTarget {
    enum Mode {
        HONEST,
        /// `setEmergencyState` reverts.
        REVERT,
        /// `setEmergencyState` burns all its gas.
        BURN,
        /// `setEmergencyState` reverts with a very long reason.
        BOMB,
        /// Takes the order and does nothing.
        IGNORE,
        /// Follows, and shows NORMAL.
        SHOW_NORMAL,
        /// Follows, and answers the view with a number that is no state.
        SHOW_JUNK,
        /// Follows, and answers the view with two words.
        SHOW_LONG,
        /// Follows, and answers the view with three bytes.
        SHOW_SHORT,
        /// Follows, and the view burns all its gas.
        BURN_VIEW,
        /// Follows, and the view reverts.
        REVERT_VIEW,
        /// Follows, and makes the stored call to the gate first.
        REENTER,
        /// Follows, and makes the stored call to the gate first; reverts if that call does.
        REENTER_STRICTLY,
        /// Always shows FROZEN.
        SHOW_FROZEN
    }

    Mode public mode;
    EmergencyState public real;
    address public gate;
    bytes public attack;
    bool public attackSucceeded;

    constructor(address gate_) {
        gate = gate_;
    }

    function arm(Mode mode_) external {
        mode = mode_;
    }

    function armReentrance(bytes calldata attack_, bool strictly) external {
        mode = strictly ? Mode.REENTER_STRICTLY : Mode.REENTER;
        attack = attack_;
    }

    /// What an upgrade that loses its storage does.
    function overwrite(EmergencyState state) external {
        real = state;
    }

    function nameGate(address gate_) external {
        gate = gate_;
    }

    function destroy() external {
        selfdestruct(payable(msg.sender));
    }

    function emergencyGate() external view returns (address) {
        return gate;
    }

    function setEmergencyState(EmergencyState state) external {
        if (mode == Mode.REVERT) revert("no");
        if (mode == Mode.BURN) _burn();
        if (mode == Mode.BOMB) {
            assembly ("memory-safe") {
                revert(0, 20000)
            }
        }
        if (mode == Mode.IGNORE) return;
        if (mode == Mode.REENTER || mode == Mode.REENTER_STRICTLY) {
            (bool success,) = gate.call(attack);
            attackSucceeded = success;
            if (mode == Mode.REENTER_STRICTLY) require(success, "the attack failed");
        }
        real = state;
    }

    function emergencyState() external view returns (uint256) {
        if (mode == Mode.SHOW_NORMAL) return 0;
        if (mode == Mode.SHOW_JUNK) return 4;
        if (mode == Mode.SHOW_FROZEN) return 3;
        if (mode == Mode.BURN_VIEW) _burn();
        if (mode == Mode.REVERT_VIEW) revert("no");
        uint256 state = uint256(real);
        if (mode == Mode.SHOW_LONG) {
            assembly ("memory-safe") {
                mstore(0, state)
                mstore(32, state)
                return(0, 64)
            }
        }
        if (mode == Mode.SHOW_SHORT) {
            assembly ("memory-safe") {
                return(0, 3)
            }
        }
        return state;
    }

    function _burn() private pure {
        assembly {
            invalid()
        }
    }
}

/// @notice A role holder that is a contract: passes calls on, with as much gas as it is told.
contract RoleHolder {
    function pass(IEmergencyGate gate, bytes calldata data, uint256 gasLimit) external returns (bool success) {
        (success,) = address(gate).call{gas: gasLimit}(data);
    }
}
