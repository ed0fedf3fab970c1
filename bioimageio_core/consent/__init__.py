"""Consents of the user that code of a model may run, kept between calls and tied to what was looked at."""

from .kept_consents import Consent, consents_from_environment
from .running_parts import RunningPart, running_parts
from .use_consent import consent_to, consents_to, with_consent

__all__ = ["Consent", "RunningPart", "consent_to", "consents_from_environment", "consents_to", "running_parts", "with_consent"]
