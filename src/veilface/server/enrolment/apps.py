from django.apps import AppConfig


class EnrolmentConfig(AppConfig):
    """Templates and challenges."""

    name = "veilface.server.enrolment"
    label = "enrolment"
