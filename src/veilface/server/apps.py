from django.apps import AppConfig


class ServerConfig(AppConfig):
    """The project's own templates, static files and commands."""

    name = "veilface.server"
    label = "server"
