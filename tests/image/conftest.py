"""What building the image needs of this machine."""

from tests.real.conftest import program  # noqa: F401 - a fixture
