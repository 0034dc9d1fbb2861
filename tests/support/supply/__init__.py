"""What the project is made of: its locks, their licences, a bill of materials, and known vulnerabilities.

`python -m tests.support.supply licences`, `sbom` or `audit`.
"""
