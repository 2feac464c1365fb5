// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEmergencyGate} from "interfaces/safety/IEmergencyGate.sol";
import {EmergencyState} from "interfaces/safety/IEmergencyTarget.sol";

interface ProofVm {
    function assume(bool condition) external pure;
    function prank(address sender) external;
    function warp(uint256 timestamp) external;
}

/// @notice A target that keeps its promise, without events.
contract ProofTarget {
    address public immutable emergencyGate;
    EmergencyState public emergencyState;

    constructor(address gate) {
        emergencyGate = gate;
    }

    function setEmergencyState(EmergencyState state) external {
        require(msg.sender == emergencyGate);
        emergencyState = state;
    }
}

/// @notice S3, S4 and S6 on the bytecode that the Vyper compiler wrote, for all callers, times, levels, durations and all
/// parameters that the constructor takes. `tests/formal/test_gate_proofs.py` puts the creation code in the place of `hex"00"`.
contract GateProofs {
    ProofVm private constant VM = ProofVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bytes private constant CODE = hex"00";

    address private constant GOVERNANCE = address(0x1001);
    address private constant GUARDIAN = address(0x1002);
    address private constant BREAKER = address(0x1003);
    address private constant SENTINEL = address(0x1004);
    uint256 private constant START = 1_700_000_000;
    uint256 private constant END = 1 << 40;
    bytes32 private constant REASON = "proof";
    bytes32 private constant TOO_LITTLE_GAS =
        keccak256(abi.encodeWithSignature("Error(string)", "emergency_gate: too little gas"));

    enum Action {
        RAISE_STATE,
        RAISE_MANY,
        TRIP,
        THROTTLE,
        RESUME,
        LAPSE,
        SYNC,
        HEARTBEAT,
        REGISTER,
        REMOVE,
        SET_GUARDIAN,
        SET_BREAKER,
        SET_SENTINEL,
        PROPOSE_GOVERNANCE,
        ACCEPT_GOVERNANCE
    }

    IEmergencyGate private gate;
    ProofTarget private target;
    bool private acted;

    /// S3: from WITHDRAW_ONLY or FROZEN, no caller but governance reaches less than WITHDRAW_ONLY, by any function, at any
    /// time; and governance does so by `resume` only.
    function check_only_governance_resumes(
        uint256 longest,
        uint256 pause,
        bool frozen,
        uint256 duration,
        address caller,
        uint8 action,
        uint8 level,
        uint256 secondDuration,
        uint256 time
    ) external {
        _deploy(longest, pause);
        VM.prank(GUARDIAN);
        gate.raiseState(
            address(target), frozen ? EmergencyState.FROZEN : EmergencyState.WITHDRAW_ONLY, duration, REASON
        );
        VM.assume(time >= START && time < END);
        VM.warp(time);
        VM.assume(action <= uint8(type(Action).max));
        _act(caller, Action(action), level, secondDuration);
        (EmergencyState state,) = gate.stateOf(address(target));
        if (state < EmergencyState.WITHDRAW_ONLY) {
            assert(caller == GOVERNANCE && Action(action) == Action.RESUME);
        }
        assert(target.emergencyState() == state);
    }

    /// S4: whoever raises, and however, a state that ends ends within `maxDuration`, and only those that end have an end.
    function check_states_end_in_time(
        uint256 longest,
        uint256 pause,
        address caller,
        uint8 action,
        uint8 level,
        uint256 duration,
        uint256 time
    ) external {
        _deploy(longest, pause);
        VM.assume(time >= START && time < END);
        VM.warp(time);
        VM.assume(action <= uint8(type(Action).max));
        _act(caller, Action(action), level, duration);
        (EmergencyState state, uint256 expiry) = gate.stateOf(address(target));
        bool ends = state == EmergencyState.FROZEN || state == EmergencyState.THROTTLED;
        assert(ends ? expiry > time && expiry <= time + longest : expiry == 0);
    }

    /// S4: a Safe's ticket fires once; after that not before `cooldown` seconds have passed, whatever happened in between.
    function check_ticket_fires_once(
        uint256 longest,
        uint256 pause,
        bool byGovernance,
        bool frozen,
        uint256 first,
        uint256 second,
        uint256 time
    ) external {
        _deploy(longest, pause);
        address caller = byGovernance ? GOVERNANCE : GUARDIAN;
        EmergencyState level = frozen ? EmergencyState.FROZEN : EmergencyState.THROTTLED;
        VM.prank(caller);
        gate.raiseState(address(target), level, first, REASON);
        VM.prank(GOVERNANCE);
        gate.resume(address(target), REASON);
        VM.assume(time >= START && time < END);
        VM.warp(time);
        VM.prank(caller);
        (bool raised,) =
            address(gate).call(abi.encodeCall(IEmergencyGate.raiseState, (address(target), level, second, REASON)));
        if (raised) assert(time >= START + pause);
    }

    /// S4, S6: the breaker freezes again only after `cooldown`; before, its trip opens the exits.
    function check_breaker_refreezes_after_cooldown(uint256 longest, uint256 pause, uint256 time) external {
        _deploy(longest, pause);
        VM.prank(BREAKER);
        gate.trip(address(target), EmergencyState.FROZEN, REASON);
        VM.assume(time >= START + longest && time < END);
        VM.warp(time);
        gate.lapse(address(target));
        VM.prank(GOVERNANCE);
        gate.resume(address(target), REASON);
        VM.prank(BREAKER);
        gate.trip(address(target), EmergencyState.FROZEN, REASON);
        if (time < START + pause) assert(target.emergencyState() == EmergencyState.WITHDRAW_ONLY);
        else assert(target.emergencyState() == EmergencyState.FROZEN);
    }

    /// S4: a stolen sentinel key throttles once per `cooldown`, and nothing else.
    function check_sentinel_throttles_only(
        uint256 longest,
        uint256 pause,
        uint8 action,
        uint8 level,
        uint256 duration,
        uint256 time
    ) external {
        _deploy(longest, pause);
        VM.prank(SENTINEL);
        gate.throttle(address(target), REASON);
        VM.assume(time >= START && time < END);
        VM.warp(time);
        VM.assume(action <= uint8(type(Action).max));
        (EmergencyState before, uint256 expiry) = gate.stateOf(address(target));
        _act(SENTINEL, Action(action), level, duration);
        (EmergencyState state, uint256 expiryAfter) = gate.stateOf(address(target));
        assert(state <= EmergencyState.THROTTLED);
        if (state == before && time < START + pause) assert(expiryAfter == expiry);
        assert(gate.guardian() == GUARDIAN && gate.governance() == GOVERNANCE && gate.breaker() == BREAKER);
    }

    /// S6: once its time is over, anyone turns FROZEN into WITHDRAW_ONLY; before, nobody does.
    function check_anyone_ends_a_freeze(
        uint256 longest,
        uint256 pause,
        uint8 by,
        uint256 duration,
        address caller,
        uint256 time
    ) external {
        _deploy(longest, pause);
        VM.assume(by < 3);
        if (by == 0) {
            duration = longest;
            VM.prank(BREAKER);
            gate.trip(address(target), EmergencyState.FROZEN, REASON);
        } else {
            VM.prank(by == 1 ? GUARDIAN : GOVERNANCE);
            gate.raiseState(address(target), EmergencyState.FROZEN, duration, REASON);
        }
        VM.assume(time >= START && time < END);
        VM.warp(time);
        VM.prank(caller);
        (bool lapsed, bytes memory answer) = address(gate).call(abi.encodeCall(IEmergencyGate.lapse, (address(target))));
        if (lapsed) assert(time >= START + duration);
        // halmos leaves the gas open: too little of it is the one other reason to fail.
        else assert(time < START + duration || keccak256(answer) == TOO_LITTLE_GAS);
        assert(target.emergencyState() == (lapsed ? EmergencyState.WITHDRAW_ONLY : EmergencyState.FROZEN));
    }

    function _deploy(uint256 longest, uint256 pause) private {
        VM.warp(START);
        bytes memory code = abi.encodePacked(CODE, abi.encode(GOVERNANCE, GUARDIAN, longest, pause, uint256(365 days)));
        address made;
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
        }
        // Parameters that the constructor refuses are none.
        VM.assume(made != address(0));
        gate = IEmergencyGate(made);
        target = new ProofTarget(made);
        VM.prank(GOVERNANCE);
        gate.register(address(target));
        VM.prank(GOVERNANCE);
        gate.setBreaker(BREAKER);
        VM.prank(GOVERNANCE);
        gate.setSentinel(SENTINEL);
    }

    /// Any function by any caller; whether it reverts does not matter.
    function _act(address caller, Action action, uint8 level, uint256 duration) private {
        bytes memory data;
        if (action == Action.RAISE_STATE) {
            data = abi.encodeWithSelector(IEmergencyGate.raiseState.selector, target, level, duration, REASON);
        } else if (action == Action.RAISE_MANY) {
            address[] memory targets = new address[](1);
            targets[0] = address(target);
            data = abi.encodeWithSelector(IEmergencyGate.raiseMany.selector, targets, level, duration, REASON);
        } else if (action == Action.TRIP) {
            data = abi.encodeWithSelector(IEmergencyGate.trip.selector, target, level, REASON);
        } else if (action == Action.THROTTLE) {
            data = abi.encodeCall(IEmergencyGate.throttle, (address(target), REASON));
        } else if (action == Action.RESUME) {
            data = abi.encodeCall(IEmergencyGate.resume, (address(target), REASON));
        } else if (action == Action.LAPSE) {
            data = abi.encodeCall(IEmergencyGate.lapse, (address(target)));
        } else if (action == Action.SYNC) {
            data = abi.encodeCall(IEmergencyGate.sync, (address(target)));
        } else if (action == Action.HEARTBEAT) {
            data = abi.encodeCall(IEmergencyGate.heartbeat, ());
        } else if (action == Action.REGISTER) {
            data = abi.encodeCall(IEmergencyGate.register, (address(target)));
        } else if (action == Action.REMOVE) {
            data = abi.encodeCall(IEmergencyGate.remove, (address(target)));
        } else if (action == Action.SET_GUARDIAN) {
            data = abi.encodeCall(IEmergencyGate.setGuardian, (caller));
        } else if (action == Action.SET_BREAKER) {
            data = abi.encodeCall(IEmergencyGate.setBreaker, (caller));
        } else if (action == Action.SET_SENTINEL) {
            data = abi.encodeCall(IEmergencyGate.setSentinel, (caller));
        } else if (action == Action.PROPOSE_GOVERNANCE) {
            data = abi.encodeCall(IEmergencyGate.proposeGovernance, (caller));
        } else {
            data = abi.encodeCall(IEmergencyGate.acceptGovernance, ());
        }
        VM.prank(caller);
        (bool success,) = address(gate).call(data);
        acted = success;
    }
}
