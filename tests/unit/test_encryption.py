"""What secrets at rest promise."""

from __future__ import annotations

import stat
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING

import pytest

from benefit_programs.config import SECRET_KEYS_MAX, Settings, WrongSetting, read_settings
from benefit_programs.encryption import (
    NoSecretKey,
    SecretKeys,
    UnreadableSecret,
    WrongKeyFile,
    key_file_of,
    make_key_file,
)

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
SECRET = "whsec_what nobody may read ✓"


def test_only_who_has_the_key_can_read() -> None:
    """A stored text shows nothing of the secret, and the key gives it back."""
    stored = SecretKeys([OLD]).encrypt(SECRET, of="tenant/endpoint")
    assert SecretKeys([OLD]).decrypt(stored, of="tenant/endpoint") == SECRET
    assert "whsec" not in stored
    assert stored.isascii()
    with pytest.raises(UnreadableSecret, match="isn't here"):
        SecretKeys([NEW]).decrypt(stored, of="tenant/endpoint")


def test_the_same_secret_is_stored_differently() -> None:
    """Two rows with one secret don't show that it is the same."""
    keys = SecretKeys([OLD])
    assert keys.encrypt(SECRET, of="a") != keys.encrypt(SECRET, of="a")


def test_a_secret_belongs_to_its_row() -> None:
    """What was copied into another row can't be read there."""
    keys = SecretKeys([OLD])
    stored = keys.encrypt(SECRET, of="tenant/endpoint")
    with pytest.raises(UnreadableSecret, match="changed, or is another's"):
        keys.decrypt(stored, of="other/endpoint")


def test_changes_are_noticed() -> None:
    """No character of a stored text can be changed without the secret becoming unreadable."""
    keys = SecretKeys([OLD])
    stored = keys.encrypt("so", of="a")  # no bits of its last character are unused
    for place in range(len(stored)):
        changed = stored[:place] + ("A" if stored[place] != "A" else "B") + stored[place + 1 :]
        with pytest.raises(UnreadableSecret):
            keys.decrypt(changed, of="a")


@pytest.mark.parametrize(
    "stored", ["", "v1", "v1.", "v1..", "whsec_plain", "v2.a.b", "v1.630dcd29."]
)
def test_what_is_no_stored_secret(stored: str) -> None:
    """Any other text is unreadable, with an error that says so."""
    with pytest.raises(UnreadableSecret):
        SecretKeys([OLD]).decrypt(stored, of="a")


def test_rotation() -> None:
    """With two keys the first encrypts and both decrypt; what the old one encrypted is known."""
    before = SecretKeys([OLD]).encrypt(SECRET, of="a")
    both = SecretKeys([NEW, OLD])
    after = both.encrypt(both.decrypt(before, of="a"), of="a")
    assert (both.is_newest(before), both.is_newest(after)) == (False, True)
    assert SecretKeys([NEW]).decrypt(after, of="a") == SECRET


def test_without_a_key() -> None:
    """Nothing is stored without a key, and the error names the setting."""
    with pytest.raises(NoSecretKey, match="BENEFITS_SECRET_KEY is not set"):
        SecretKeys().encrypt(SECRET, of="a")
    assert not SecretKeys().is_newest("v1.a.b")


def test_key_file(tmp_path: Path) -> None:
    """The first secret makes the file, which only its owner can read; later ones use it."""
    file = key_file_of(tmp_path / "benefits.sqlite3")
    keys = SecretKeys(file=file)
    with pytest.raises(UnreadableSecret):
        keys.decrypt("v1.a.b", of="a")
    assert not file.exists()
    stored = keys.encrypt(SECRET, of="a")
    assert file.name == "benefits.sqlite3.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]
    assert keys.decrypt(keys.encrypt(SECRET, of="b"), of="b") == SECRET
    assert SecretKeys(file=file).decrypt(stored, of="a") == SECRET
    assert SecretKeys([make_key_file(file)]).decrypt(stored, of="a") == SECRET


def test_another_key_file(tmp_path: Path) -> None:
    """Secrets can't be read with the file of another database, and the error names their key."""
    stored = SecretKeys(file=tmp_path / "one").encrypt(SECRET, of="a")
    make_key_file(tmp_path / "two")
    with pytest.raises(UnreadableSecret, match=stored.split(".")[1]):
        SecretKeys(file=tmp_path / "two").decrypt(stored, of="a")


@pytest.mark.parametrize("content", ["", "no key", "é", b64encode(OLD[1:]).decode()])
def test_wrong_key_file(tmp_path: Path, content: str) -> None:
    """A file that holds no key is never written over."""
    file = tmp_path / "key"
    file.write_text(content, "utf-8")
    with pytest.raises(WrongKeyFile, match="holds no key"):
        SecretKeys(file=file).encrypt(SECRET, of="a")
    assert file.read_text("utf-8") == content


def test_the_setting_is_before_the_file(tmp_path: Path) -> None:
    """With a key from the settings no file is made."""
    SecretKeys([OLD], file=tmp_path / "key").encrypt(SECRET, of="a")
    assert not (tmp_path / "key").exists()


def test_setting() -> None:
    """Keys come in either alphabet of base64, the newest first, and are never shown."""
    text = f"{b64encode(NEW).decode()}, {urlsafe_b64encode(OLD).decode().rstrip('=')}"
    settings = read_settings(environment={"BENEFITS_SECRET_KEY": text})
    assert settings.secret_key == (NEW, OLD)
    assert "secret_key" not in repr(settings)
    assert Settings().secret_key == ()


@pytest.mark.parametrize(
    "text",
    [
        "a secret",
        b64encode(OLD[:16]).decode(),
        b64encode(OLD + NEW).decode(),
        b64encode(OLD).decode() + ",",
        ",".join([b64encode(OLD).decode()] * (SECRET_KEYS_MAX + 1)),
    ],
)
def test_wrong_setting(text: str) -> None:
    """What is no list of keys is refused at the start; the error doesn't repeat it."""
    with pytest.raises(WrongSetting, match="BENEFITS_SECRET_KEY: must ") as caught:
        read_settings(environment={"BENEFITS_SECRET_KEY": text})
    assert text not in str(caught.value)
