"""Serves the pages on a socket that the supervisor opened: while the server restarts, browsers wait in its queue."""

import socket
import sys

import uvicorn


def main() -> None:
    listener = socket.socket(fileno=int(sys.argv[1]))
    server = uvicorn.Server(
        uvicorn.Config("nasweb.asgi:application", log_level="warning", lifespan="off", timeout_graceful_shutdown=3)
    )
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
