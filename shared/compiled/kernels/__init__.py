"""What Numba compiles: each function with its one signature, kept as machine code in a folder of its own."""
