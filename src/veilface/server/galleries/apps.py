from django.apps import AppConfig
from django.db.models.signals import post_delete


class GalleriesConfig(AppConfig):
    """Galleries, kiosks, members, blocks."""

    name = "veilface.server.galleries"
    label = "galleries"

    def ready(self) -> None:
        """Whatever deletes a member – a template renewed, an account erased – is noted with the deletion itself."""
        from veilface.server.galleries import leaving  # noqa: PLC0415 – not before the apps are loaded
        from veilface.server.galleries.models import Member  # noqa: PLC0415

        post_delete.connect(leaving.note, sender=Member, dispatch_uid="galleries.leaving")
