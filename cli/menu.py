"""The list of verbs that `mlmini --help` shows, in groups.

Typer draws groups by rich only, which takes longer to import than everything else that help needs.
"""

from typing import Any

from typer import BadParameter
from typer.core import TyperGroup, TyperOption

from shared.wording import reworded

# More than any first sentence has: it is wrapped and never cut.
_LONGEST = 200
# Where a context has the --url that was given before the verb.
_URL = "mlmini.url"


class Menu(TyperGroup):
    """A group of commands whose help lists them below the names of their panels."""

    def get_help_option(self, ctx: Any) -> TyperOption | None:
        """The option --help, which is false unless given: typer imports pydantic to find out what None means."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.default = False
        return option

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep a --url that stands before the verb for `resolve_command`.

        It is not an option of the group, for then typer would import pydantic before the help of any verb.
        """
        if args[:1] == ["--url"] and len(args) > 1:
            ctx.meta[_URL], args = args[1], args[2:]
        elif args and args[0].startswith("--url="):
            ctx.meta[_URL], args = args[0].removeprefix("--url="), args[1:]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The verb and its arguments, among them the --url that stands before it."""
        name, command, rest = super().resolve_command(ctx, args)
        if (url := ctx.meta.pop(_URL, None)) is None:
            return name, command, rest
        options = {option for parameter in getattr(command, "params", []) for option in parameter.opts}
        if "--url" not in options and not isinstance(command, Menu):
            ctx.fail(f"'{name}' takes no --url: it is about the platform of this machine.")
        # If there is one behind the verb too, click takes the last.
        return name, command, ["--url", url, *rest]

    def invoke(self, ctx: Any) -> Any:
        """Run the verb, and say in plain words which value it cannot take."""
        try:
            return super().invoke(ctx)
        except BadParameter as error:
            # Typer has the words of pydantic.
            for problem in getattr(error.__cause__, "errors", list)()[:1]:
                error.message = f"{reworded(problem['type'], problem['msg'])}, not '{problem['input']}'."
            raise

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
