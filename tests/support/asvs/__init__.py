"""Which requirements of OWASP ASVS 5.0.0 are met, shown by which tests: `python -m tests.support.asvs`."""
