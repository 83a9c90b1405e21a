"""The web server's entry: pages over HTTP, live events over WebSockets."""

import os
import warnings

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

from nasweb.bodies import Bounded

# WhiteNoise hands files over as synchronous iterators. They are read whole, which is fine at their sizes.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nasweb.settings")
pages = get_asgi_application()

from searches.routing import websocket_urlpatterns  # noqa: E402 (consumers need Django set up)

application = ProtocolTypeRouter(
    {
        "http": Bounded(pages),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
