"""Compiles all kernels into their folder: `python -m shared.compiled.kernels.warm`, at the install and in an image."""

import sys

from shared.compiled.kernels import columns, folder, trees


def main() -> None:
    """Importing the kernels has compiled what was not there; say that it is complete."""
    if folder.is_usable():
        folder.write_stamp()
        sys.stdout.write(f"the kernels of {columns.__name__} and {trees.__name__} are compiled\n")
    else:
        sys.stdout.write("the folder of the kernels cannot be used: each process compiles its own\n")


if __name__ == "__main__":
    main()
