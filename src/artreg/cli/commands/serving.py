"""Commands that keep answering until they are stopped: `ui`."""

from __future__ import annotations

import sys
from typing import Annotated

from artreg.cli.declare import Option
from artreg.cli.session import Session
from artreg.cli.view import Line, Tone


def ui(
    session: Session,
    port: Annotated[int, Option("--port", metavar="N", help="Where to listen; 0 for any that is free", least=0)] = 8642,
    host: Annotated[str, Option("--host", help="127.0.0.1, ::1 or localhost: nobody else is let in")] = "127.0.0.1",
    browse: Annotated[bool, Option("--open", help="Open it in the browser")] = False,
) -> None:
    """Show the registry in a browser, on this machine alone; every load shows it as it is then.

    It goes on until Ctrl-C or SIGTERM ends it, with exit code 0. With --json it says where it answers before it does.

    Examples: artreg ui; artreg ui --open; artreg ui --port 0 --json
    """
    import signal

    from artreg.site import Site
    from artreg.site.server import SiteServer

    registry = session.registry
    registry.store.require_root()
    with SiteServer(Site(registry).page, host, port) as server:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        document = {"url": server.url, "port": server.server_port, "registry": registry.store.url}
        session.output.result(document, [Line(server.url, Tone.STRONG)])
        sys.stdout.flush()
        session.output.note(f"{registry.store.url} as it is at each load; Ctrl-C ends it")
        if browse:
            import webbrowser

            webbrowser.open(server.url)
        try:
            server.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            session.output.note("ended")
