// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What a journal said, fixed on chain
/// @notice The orchestrator's journal is a chain of hashes with a Merkle root (RFC 6962) over its first events. Each
/// anchor fixes one root. Anchors are only ever added: whoever holds the journal, or the anchor role, can neither take
/// one back nor anchor a second history of the same events. A journal is named by the hash of its first event.
interface IAuditAnchor {
    struct Anchor {
        /// Root over the journal's events 1 to `lastSeq`.
        bytes32 root;
        uint64 lastSeq;
        /// Unix time of the block.
        uint64 time;
    }

    event Anchored(
        bytes32 indexed journal,
        uint64 indexed lastSeq,
        address indexed by,
        uint64 firstSeq,
        bytes32 root,
        bytes32 previousRoot
    );

    error ZeroRoot();
    error ZeroJournal();
    /// @notice The range does not begin after the last anchor, or holds no event.
    error NotNext(uint64 firstSeq, uint64 lastSeq, uint64 anchored);
    /// @notice The caller does not build on the last anchor's root.
    error OtherHistory(bytes32 previousRoot, bytes32 anchored);

    /// @notice Anchor role: fixes the root of `journal` up to `lastSeq`.
    /// @param firstSeq One after the last anchored event; 1 at first.
    /// @param previousRoot Root of the last anchor; zero at first.
    function anchor(bytes32 journal, uint64 firstSeq, uint64 lastSeq, bytes32 root, bytes32 previousRoot) external;

    /// @notice The journal that was anchored last; zero before the first anchor.
    function currentJournal() external view returns (bytes32);
    function countOf(bytes32 journal) external view returns (uint256);
    function anchorAt(bytes32 journal, uint256 index) external view returns (Anchor memory);
    /// @notice The newest anchor of a journal; all zero before its first.
    function latestOf(bytes32 journal) external view returns (Anchor memory);
}
