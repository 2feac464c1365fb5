"""The append-only record that everything else is rebuilt from; it never forgets and never edits."""
