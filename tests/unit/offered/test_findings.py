"""What `gateway check` says of the gateway's own SFTP server and its accounts."""

from pathlib import Path

from gateway import app
from gateway.offered import keys
from tests.dropping import Site, site


def test_a_check_tells_what_keeps_clerks_out(tmp_path: Path) -> None:
    place = site(tmp_path).configured('{ password = "a-long-password" }')
    key = tmp_path / "host.key"
    assert "no such file" in told(place, "gateway.sftp.host_key")
    keys.made(key)
    assert app.check(place.config, {}) == []
    key.chmod(0o644)
    assert "others may read it" in told(place, "gateway.sftp.host_key")
    key.chmod(0o600)
    key.write_text("no key")
    assert "holds no private key" in told(place, "gateway.sftp.host_key")
    key.unlink()
    keys.made(key)
    for account, says in (
        ("{}", "neither password nor key, so nobody can log in"),
        ('{ password = "short" }', "shorter than 12 characters"),
        ('{ keys = ["ssh-ed25519 nonsense"] }', "number 1 is no public key"),
        ('{ password = "a-long-password", sha256 = "%s" }' % ("0" * 64), "write one of them"),
        ('{ name = "../x", password = "a-long-password" }', "name"),
        ('{ password = "${NOT_THERE}" }', "the environment has no NOT_THERE"),
    ):
        place.configured(account)
        assert says in told(place, "agency.puskesmas.feed.imunisasi.account")


def test_a_check_tells_of_accounts_that_clash_or_lead_nowhere(tmp_path: Path) -> None:
    place = site(tmp_path).configured('{ name = "klinik", password = "a-long-password" }')
    keys.made(tmp_path / "host.key")
    text = place.config.read_text()
    second = '\n[agency.puskesmas.feed.lain]\nfiles = "lain_*.csv"\naccount = { name = "klinik", sha256 = "%s" }\n'
    place.config.write_text(text + second % ("0" * 64))
    (tmp_path / "puskesmas.toml").write_text((tmp_path / "puskesmas.toml").read_text() + '[lain.row]\na = "a"\n')
    assert '"klinik" is the account of puskesmas/imunisasi already' in told(place, "feed.lain.account")
    place.config.write_text(text.replace(f'drop    = "{tmp_path}/drop"', 'drop    = "sftp://elsewhere/drop"'))
    assert "an account is for a drop on this machine" in told(place, "feed.imunisasi.account")
    section = text[text.index("[gateway.sftp]") : text.index("[client.klik]")]
    place.config.write_text(text.replace(section, ""))
    assert "there is no SFTP server to log in to" in told(place, "feed.imunisasi.account")
    place.configured("{}")
    place.config.write_text(place.config.read_text().replace("account    = {}", ""))
    assert "no feed has an account" in told(place, "gateway.sftp")


def test_a_check_tells_where_an_account_of_acknowledgements_leads_nowhere(tmp_path: Path) -> None:
    place = site(tmp_path).configured('{ name = "klinik", password = "a-long-password" }')
    keys.made(tmp_path / "host.key")
    text = place.config.read_text()
    out = """
[agency.puskesmas.out.jadwal]
folder = "{folder}"
file   = "jadwal_{{id}}.csv"
ack    = {{ files = "ack_*.csv", delivered = ["OK"], account = {account} }}
"""
    for account, says in (
        ('{ name = "klinik", sha256 = "%s" }' % ("0" * 64), '"klinik" is the account of puskesmas/imunisasi already'),
        ("{}", "neither password nor key, so nobody can log in"),
        ('{ password = "short" }', "shorter than 12 characters"),
    ):
        place.config.write_text(text + out.format(folder=tmp_path, account=account))
        assert says in told(place, "agency.puskesmas.out.jadwal.ack.account")
    elsewhere = text.replace(f'drop    = "{tmp_path}/drop"', 'drop    = "sftp://elsewhere/drop"')
    elsewhere += out.format(folder=tmp_path, account='{ sha256 = "%s" }' % ("0" * 64))
    place.config.write_text(elsewhere)
    assert "an account is for a drop on this machine" in told(place, "out.jadwal.ack.account")


def told(place: Site, setting: str) -> str:
    return "\n".join(one.what for one in app.check(place.config, {}) if setting in one.what)
