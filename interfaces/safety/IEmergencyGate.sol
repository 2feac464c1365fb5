// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {EmergencyState} from "interfaces/safety/IEmergencyTarget.sol";

/// @title The brake: who may move which target to which emergency state, and for how long
/// @notice Implemented in Vyper (`contracts/safety/EmergencyGate.vy`), so that one compiler's bug cannot take both the
/// money and its brake. Raising is quick and bounded in time; only governance brings a target back to NORMAL from
/// WITHDRAW_ONLY or FROZEN; time alone turns FROZEN into WITHDRAW_ONLY, so that users leave even if every key is lost.
/// Each role has one ticket per (target, level); a used ticket is ready again `cooldown` seconds later.
/// Reverts carry a reason that begins with "emergency_gate: ".
interface IEmergencyGate {
    /// @notice Why a target of a mass raise does not show the level.
    enum FailCause {
        NONE,
        /// Not under this gate.
        NOT_A_TARGET,
        /// The role used its ticket for this (target, level) less than `cooldown` ago.
        TICKET_NOT_READY,
        /// The call to the target failed, or the target shows something else afterwards.
        NOT_FOLLOWED
    }

    /// @notice A target's state was raised; `expiry` is 0 for WITHDRAW_ONLY.
    event StateRaised(
        address indexed target, address indexed by, uint8 previous, uint8 current, uint256 expiry, bytes32 reason
    );
    /// @notice Governance brought a target back to NORMAL.
    event StateResumed(address indexed target, address indexed by, uint8 previous, bytes32 reason);
    /// @notice A state ran out: FROZEN became WITHDRAW_ONLY, or THROTTLED became NORMAL. Anyone may trigger this.
    event StateLapsed(address indexed target, address indexed by, uint8 previous, uint8 current);
    /// @notice A target that did not show its recorded state was given it again.
    event StateSynced(address indexed target, address indexed by, uint8 state);
    /// @notice A target did not follow in a mass raise; the others did. `cause` is a `FailCause`.
    event RaiseFailed(address indexed target, uint256 index, uint8 level, uint8 cause);
    event TargetRegistered(address indexed target);
    event TargetRemoved(address indexed target);
    /// @notice A role moved from one address to another. `role` is keccak256 of "governance", "guardian", "breaker" or
    /// "sentinel".
    event RoleMoved(bytes32 indexed role, address indexed previous, address indexed current);
    event GovernanceProposed(address indexed governance, address indexed proposed);
    event GuardianHeartbeat(address indexed guardian, uint256 validUntil);

    function governance() external view returns (address);
    function pendingGovernance() external view returns (address);
    function guardian() external view returns (address);
    function breaker() external view returns (address);
    function sentinel() external view returns (address);

    /// @notice Longest time, in seconds, for which one raise keeps a target FROZEN or THROTTLED.
    function maxDuration() external view returns (uint256);
    /// @notice Seconds after a ticket was used before the same ticket works again; > 3 × maxDuration.
    function cooldown() external view returns (uint256);
    /// @notice Seconds for which a heartbeat keeps the guardian's power alive.
    function heartbeatPeriod() external view returns (uint256);
    /// @notice Unix time from which the guardian has no power, unless it sends a heartbeat before.
    function guardianValidUntil() external view returns (uint256);

    /// @notice What the gate holds of a target: its state and the Unix time from which it may lapse (0: it does not).
    /// A state whose expiry has passed still stands until somebody calls `lapse`.
    function stateOf(address target) external view returns (EmergencyState state, uint256 expiry);
    function isTarget(address target) external view returns (bool);
    function targets() external view returns (address[] memory);
    /// @notice Unix time from which the guardian may again raise `target` to `level`.
    function ticketReadyAt(address target, EmergencyState level) external view returns (uint256);
    /// @notice The same for any role: keccak256 of "governance", "guardian", "breaker" or "sentinel".
    function roleTicketReadyAt(bytes32 role, address target, EmergencyState level) external view returns (uint256);

    /// @notice Guardian or governance: raises every target (at most 64) to `level` for `duration` seconds, in one Safe
    /// transaction. A target that fails does not keep the others open. `duration` does not matter for WITHDRAW_ONLY.
    /// @return failed Indexes into `targets_` that do not show `level` or more afterwards.
    function raiseMany(address[] calldata targets_, EmergencyState level, uint256 duration, bytes32 reason)
        external
        returns (uint256[] memory failed);

    /// @notice Guardian or governance: raises one target; reverts if the target does not follow.
    function raiseState(address target, EmergencyState level, uint256 duration, bytes32 reason) external;

    /// @notice Circuit breaker: raises a target to WITHDRAW_ONLY or FROZEN on a fact that honest exits cannot cause.
    /// While its FROZEN ticket is not ready, a trip to FROZEN acts as one to WITHDRAW_ONLY.
    /// Does not revert when there is nothing to raise.
    function trip(address target, EmergencyState level, bytes32 reason) external;

    /// @notice Sentinel (the orchestrator's hot key): raises a target to THROTTLED for `maxDuration`, to nothing else.
    function throttle(address target, bytes32 reason) external;

    /// @notice Governance: the only way back to NORMAL from WITHDRAW_ONLY and FROZEN. Reverts if it does not follow.
    function resume(address target, bytes32 reason) external;

    /// @notice Anyone: applies a lapse that is due.
    function lapse(address target) external;

    /// @notice Anyone: gives a target that does not show its recorded state that state again.
    function sync(address target) external;

    /// @notice Guardian: shows that it is alive; its power lasts `heartbeatPeriod` from here. Once it is late,
    /// only `setGuardian` gives the power back.
    function heartbeat() external;

    /// @notice Governance: puts a contract under the gate. It must answer as a target in state NORMAL and name this
    /// gate.
    function register(address target) external;
    /// @notice Governance: takes a contract that is NORMAL, or has no code any more, out of the gate.
    function remove(address target) external;
    /// @notice Governance: names a role's holder (empty: nobody). No address may hold two roles.
    function setGuardian(address guardian_) external;
    function setBreaker(address breaker_) external;
    function setSentinel(address sentinel_) external;
    /// @notice Governance hands over in two steps.
    function proposeGovernance(address governance_) external;
    function acceptGovernance() external;
}
