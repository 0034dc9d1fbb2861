"""Breaks one line after the other in a copy of the project, and says which of these mutants no test notices.

Why not a library: mutmut 3 switches mutants on inside its own process, by a variable that processes with a clean
environment do not have, leaves out what stands outside of functions, and knows only of tests that call the code in that
process. cosmic-ray writes into the work tree and runs one command for all mutants. Here a mutant is a file in a copy of
the tree, which every process that a test starts imports, and it meets those tests only that reach its line.
"""
