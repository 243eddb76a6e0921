"""A registry as a static site: pages that need no server, no network and no script, only to sort and filter.

`build` writes a whole site into a folder; `page` makes one page as it is now. Templates and plots are loaded with the
first page.
"""

from artreg.site.make import TITLE, Built, Site, build, media_type, page
from artreg.site.rendering import CSP

__all__ = ["CSP", "TITLE", "Built", "Site", "build", "media_type", "page"]
