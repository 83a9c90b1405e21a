"""Addresses of the sockets."""

from django.urls import path

from searches.consumers import RaceConsumer, RunConsumer

websocket_urlpatterns = [
    path("ws/searches/<int:run_id>/", RunConsumer.as_asgi()),
    path("ws/races/<int:race_id>/", RaceConsumer.as_asgi()),
]
