"""The list of verbs that `mlmini --help` shows, in groups.

Typer draws groups by rich only, which takes longer to import than everything else that help needs.
"""

from typing import Any

from typer.core import TyperGroup, TyperOption

# More than any first sentence has: it is wrapped and never cut.
_LONGEST = 200


class Menu(TyperGroup):
    """A group of commands whose help lists them below the names of their panels."""

    def get_help_option(self, ctx: Any) -> TyperOption | None:
        """The option --help, which is false unless given: typer imports pydantic to find out what None means."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.default = False
        return option

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, each with the first sentence of its help."""
        del ctx
        panels: dict[str, list[tuple[str, str]]] = {}
        width = max(map(len, self.commands))
        for name, command in self.commands.items():
            line = (name.ljust(width), command.get_short_help_str(_LONGEST))
            panels.setdefault(getattr(command, "rich_help_panel", None) or "Commands", []).append(line)
        for panel, lines in panels.items():
            with formatter.section(panel):
                formatter.write_dl(lines)
