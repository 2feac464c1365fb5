"""What the compiled contracts look like from outside: interface, storage, size, and their build."""
