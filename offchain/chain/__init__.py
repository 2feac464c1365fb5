"""Reading and writing a chain: transport, transactions, error names; it decides nothing."""
