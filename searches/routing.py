"""Addresses of the sockets."""

from django.urls import path

from searches.consumers import RunConsumer

websocket_urlpatterns = [path("ws/searches/<int:run_id>/", RunConsumer.as_asgi())]
