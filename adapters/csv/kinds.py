"""Which kind of drop a setting names; what a kind needs is imported only where it is named."""

from pathlib import Path

from adapters.csv.drop import Drop
from adapters.csv.folder import Folder
from adapters.csv.place import DropLogin, Place, is_elsewhere, login_of, place_of
from adapters.csv.remote import Remote, Server
from gateway import ConfigError, Finding

LIBRARIES = {"sftp": "asyncssh", "ftp": "aioftp", "ftps": "aioftp", "s3": "obstore"}


def drop_at(place: str, setting: str, login: DropLogin | None = None, login_setting: str = "drop_login") -> Drop:
    """Return the drop that `place` names; raises ConfigError for what isn't spoken or can't be logged in to."""
    if not is_elsewhere(place):
        if login is not None:
            what = "is nothing that a folder of this machine has use for"
            raise ConfigError(Finding(where=login_setting, what=what, remedy="leave it out"))
        return Folder(Path(place))
    found = place_of(place, setting)
    fitting = login_of(found, login, login_setting)
    try:
        return Remote(_server(found, fitting, login_setting))
    except ModuleNotFoundError as error:
        what = f"{found.kind}:// needs {LIBRARIES[found.kind]}, which is not installed here"
        remedy = "install the extra: make .venv/drops; or mount the folder and name it here"
        raise ConfigError(Finding(where=setting, what=what, remedy=remedy)) from error


def _server(place: Place, login: DropLogin, setting: str) -> Server:
    match place.kind:
        case "sftp":
            from adapters.csv.sftp import SftpServer  # noqa: PLC0415 - only those who name it have what it needs

            return SftpServer(place, login, setting)
        case "ftp" | "ftps":
            from adapters.csv.ftp import FtpServer  # noqa: PLC0415 - as above

            return FtpServer(place, login, setting)
        case "s3":
            from adapters.csv.s3 import S3Server  # noqa: PLC0415 - as above

            return S3Server(place, login, setting)
