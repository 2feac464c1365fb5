"""The orchestrator: follows the chain, journals, batches, may halt; never moves money to itself."""
