"""For every test: a busy machine is no reason to fail, so hypothesis sets no deadlines and no pace of its own."""

from hypothesis import HealthCheck, settings

settings.register_profile("scrimp", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("scrimp")
