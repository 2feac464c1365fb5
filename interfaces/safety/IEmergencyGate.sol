// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {EmergencyState} from "interfaces/safety/IEmergencyTarget.sol";

/// @title The brake: who may move which target to which emergency state, and for how long
/// @notice Implemented in Vyper (`contracts/safety/EmergencyGate.vy`), so that one compiler's bug cannot take both the
/// money and its brake. Raising is quick and bounded in time; only governance brings a target back to NORMAL from
/// WITHDRAW_ONLY or FROZEN; time alone turns FROZEN into WITHDRAW_ONLY, so that users leave even if every key is lost.
interface IEmergencyGate {
    /// @notice A target's state was raised.
    event StateRaised(
        address indexed target, address indexed by, uint8 previous, uint8 current, uint256 expiry, bytes32 reason
    );
    /// @notice Governance brought a target back to NORMAL.
    event StateResumed(address indexed target, address indexed by, uint8 previous, bytes32 reason);
    /// @notice A state ran out: FROZEN became WITHDRAW_ONLY, or THROTTLED became NORMAL. Anyone may trigger this.
    event StateLapsed(address indexed target, address indexed by, uint8 previous, uint8 current);
    /// @notice A target did not follow in a mass raise; the others did.
    event RaiseFailed(address indexed target, uint256 index, uint8 level);
    event TargetRegistered(address indexed target);
    event TargetRemoved(address indexed target);
    /// @notice A role moved from one address to another. `role` is keccak256 of "governance", "guardian", "breaker" or "sentinel".
    event RoleMoved(bytes32 indexed role, address indexed previous, address indexed current);
    event GuardianHeartbeat(address indexed guardian, uint256 validUntil);

    function governance() external view returns (address);
    function guardian() external view returns (address);
    function breaker() external view returns (address);
    function sentinel() external view returns (address);

    /// @notice Longest time, in seconds, for which one raise keeps a target FROZEN or THROTTLED.
    function maxDuration() external view returns (uint256);
    /// @notice Seconds after a guardian's ticket for (target, level) was used before the same ticket works again; > maxDuration.
    function cooldown() external view returns (uint256);
    /// @notice Unix time up to which the guardian's power lasts without a new heartbeat.
    function guardianValidUntil() external view returns (uint256);

    /// @notice What the gate holds of a target: its state and the Unix time at which it lapses (0: it does not).
    function stateOf(address target) external view returns (EmergencyState state, uint256 expiry);
    function isTarget(address target) external view returns (bool);
    function targets() external view returns (address[] memory);
    /// @notice Unix time from which the guardian may again raise `target` to `level`.
    function ticketReadyAt(address target, EmergencyState level) external view returns (uint256);

    /// @notice Guardian: raises every target to `level` for `duration` seconds, in one Safe transaction.
    /// A target that fails does not keep the others open.
    /// @return failed Indexes into `targets_` whose state did not really change (a target already at or above `level` is not failed).
    function raiseMany(address[] calldata targets_, EmergencyState level, uint256 duration, bytes32 reason)
        external
        returns (uint256[] memory failed);

    /// @notice Guardian: raises one target; reverts if the target does not follow.
    function raiseState(address target, EmergencyState level, uint256 duration, bytes32 reason) external;

    /// @notice Circuit breaker: raises a target to WITHDRAW_ONLY or FROZEN on a fact that honest exits cannot cause.
    function trip(address target, EmergencyState level, bytes32 reason) external;

    /// @notice Sentinel (the orchestrator's hot key): raises a target to THROTTLED, and to nothing else.
    function throttle(address target, bytes32 reason) external;

    /// @notice Governance: the only way back to NORMAL from WITHDRAW_ONLY and FROZEN.
    function resume(address target, bytes32 reason) external;

    /// @notice Anyone: applies a lapse that is due.
    function lapse(address target) external;

    /// @notice Guardian: shows that it is alive; its power lasts a fixed time from here.
    function heartbeat() external;

    /// @notice Governance: puts a contract under the gate. It must answer as an emergency target and name this gate.
    function register(address target) external;
    /// @notice Governance: takes a contract in state NORMAL out of the gate.
    function remove(address target) external;
    function setGuardian(address guardian_) external;
    function setBreaker(address breaker_) external;
    function setSentinel(address sentinel_) external;
    /// @notice Governance hands over in two steps.
    function proposeGovernance(address governance_) external;
    function acceptGovernance() external;
}
