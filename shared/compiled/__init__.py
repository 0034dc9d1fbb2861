"""Compiled forms: a fitted model as plain arrays, which answers exactly as scikit-learn does, without it.

`making` turns a fitted model into its form and checks it; everything else here needs neither scikit-learn nor pandas
nor pickle.
"""
