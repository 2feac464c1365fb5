"""The gates of `make audit`: each measures one kind of evidence and says when it does not hold."""
