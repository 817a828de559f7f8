"""The root of every exception Veilface raises on purpose.

Each package grows its own small tree from :class:`VeilfaceError` in a module ``errors``. An error has a
stable dotted ``code`` – the key of its sentence in ``veilface/locales`` – and says what was got and what
was expected. The sentence itself is made by :mod:`veilface.messages`, in the reader's language.
"""

from typing import ClassVar

Detail = str | int | float


class VeilfaceError(Exception):
    """Something was refused or could not be done.

    ``details`` fill the placeholders of the sentence. They must never hold a secret, an embedding or a score.
    """

    code: ClassVar[str] = "veilface.failed"

    def __init__(self, **details: Detail) -> None:
        self.details = details
        listed = ", ".join(f"{name}={value!r}" for name, value in details.items())
        super().__init__(f"{self.code}({listed})")
