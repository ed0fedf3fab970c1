"""Files and folders that appear complete or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from recorded_disk import recorded_disk

from bioimageio_core import atomic_files
from bioimageio_core.atomic_files import (
    atomic_file,
    atomic_folder,
    leftovers,
    link_or_copy,
    move_into_place,
    remove_folder,
    temporary_file,
    write_text,
)
from bioimageio_core.errors import OutputError

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestFiles:
    def test_nothing_is_there_before_the_end(self, tmp_path: Path) -> None:
        """The old content stays until the new one is complete."""
        path = tmp_path / "file"
        path.write_bytes(b"old")
        with atomic_file(path) as file:
            file.write(b"new")
            file.flush()
            assert path.read_bytes() == b"old"
        assert path.read_bytes() == b"new"
        assert [p.name for p in tmp_path.iterdir()] == ["file"]

    def test_an_error_leaves_nothing(self, tmp_path: Path) -> None:
        """A block that raises leaves the old content, and no temporary file."""
        (tmp_path / "file").write_bytes(b"old")
        with pytest.raises(ZeroDivisionError), atomic_file(tmp_path / "file") as file:
            file.write(bytes([1 // 0]))
        assert (tmp_path / "file").read_bytes() == b"old"
        assert [p.name for p in tmp_path.iterdir()] == ["file"]

    def test_of_many_writers_one_wins(self, tmp_path: Path) -> None:
        """Without overwriting, exactly one of several simultaneous writers succeeds, and its content is complete."""
        path = tmp_path / "file"

        def write(number: int) -> bool:
            try:
                with atomic_file(path, overwrite=False) as file:
                    file.write(str(number).encode() * 1000)
            except FileExistsError:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(write, range(8)))
        assert won.count(True) == 1
        assert path.read_bytes() == str(won.index(True)).encode() * 1000
        assert [p.name for p in tmp_path.iterdir()] == ["file"]

    def test_exclusive_without_links(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """File systems without hard links give the same: an existing file is never replaced."""

        def no_links(*_: object) -> None:
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr(os, "link", no_links)
        with atomic_file(tmp_path / "file", overwrite=False) as file:
            file.write(b"first")
        with pytest.raises(FileExistsError), atomic_file(tmp_path / "file", overwrite=False) as file:
            file.write(b"second")
        assert (tmp_path / "file").read_bytes() == b"first"

    def test_long_names(self, tmp_path: Path) -> None:
        """A name as long as file systems allow can be written, also in characters of four bytes."""
        for name in ("n" * 255, "😀" * 63):
            write_text(tmp_path / name, "text", overwrite=False)
            assert (tmp_path / name).read_text() == "text"

    def test_errors_of_the_library(self, tmp_path: Path) -> None:
        """What cannot be written is an OutputError that names the file."""
        write_text(tmp_path / "file", "text", overwrite=False)
        with pytest.raises(OutputError, match="exists already"):
            write_text(tmp_path / "file", "other", overwrite=False)
        with pytest.raises(OutputError, match="is a folder"):
            write_text(tmp_path, "other", overwrite=True)
        with pytest.raises(OutputError, match="cannot be written"):
            write_text(tmp_path / "no folder" / "file", "other", overwrite=True)

    def test_leftovers(self, tmp_path: Path) -> None:
        """Temporary files are found by their prefix while they exist, and are gone afterwards."""
        with temporary_file(tmp_path, "key[1]" * 20) as part, temporary_file(tmp_path, "other"):
            assert list(leftovers(tmp_path, "key[1]" * 20)) == [part]
        assert list(tmp_path.iterdir()) == []


class TestFolders:
    def test_an_error_leaves_nothing(self, tmp_path: Path) -> None:
        """A block that raises leaves the old folder, and no temporary one."""
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "old").touch()
        with pytest.raises(ZeroDivisionError), atomic_folder(tmp_path / "folder", overwrite=True) as folder:
            (folder / "new").write_bytes(bytes([1 // 0]))
        assert [p.name for p in (tmp_path / "folder").iterdir()] == ["old"]
        assert [p.name for p in tmp_path.iterdir()] == ["folder"]

    def test_replaced_as_one(self, tmp_path: Path) -> None:
        """Nothing of the old folder stays in the new one, and nothing beside it."""
        for name in ("a", "b"):
            with atomic_folder(tmp_path / "folder", overwrite=True) as folder:
                (folder / name).touch()
        assert [p.name for p in (tmp_path / "folder").iterdir()] == ["b"]
        assert [p.name for p in tmp_path.iterdir()] == ["folder"]

    def test_only_empty_folders_without_overwriting(self, tmp_path: Path) -> None:
        """An empty folder counts as none; content that came meanwhile stays."""
        (tmp_path / "folder").mkdir()
        with atomic_folder(tmp_path / "folder", overwrite=False) as folder:
            (folder / "first").touch()
        with pytest.raises(FileExistsError), atomic_folder(tmp_path / "folder", overwrite=False) as folder:
            (folder / "second").touch()
        assert [p.name for p in (tmp_path / "folder").iterdir()] == ["first"]

    def test_a_file_is_not_replaced_by_a_folder(self, tmp_path: Path) -> None:
        """A folder never replaces a file."""
        (tmp_path / "file").touch()
        (tmp_path / "part").mkdir()
        with pytest.raises(FileExistsError):
            move_into_place(tmp_path / "part", tmp_path / "file", overwrite=True)
        assert (tmp_path / "file").is_file()

    def test_half_removed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A process that is killed while it removes a folder leaves nothing of its name."""
        (tmp_path / "folder" / "inner").mkdir(parents=True)
        (tmp_path / "folder" / "marker").touch()

        def killed(path: Path, **options: bool) -> None:
            (path / "marker").unlink()
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(atomic_files.shutil, "rmtree", killed)
            with pytest.raises(KeyboardInterrupt):
                remove_folder(tmp_path / "folder")
        assert not (tmp_path / "folder").exists()
        assert [p.is_dir() for p in leftovers(tmp_path, "folder")] == [True]
        remove_folder(tmp_path / "folder")  # nothing is there
        (tmp_path / "link").symlink_to(tmp_path)
        remove_folder(tmp_path / "link")
        assert (tmp_path / "link").is_symlink()


class TestPermissions:
    @posix
    def test_those_of_new_files(self, tmp_path: Path) -> None:
        """Files and folders have the permissions that the umask leaves, as if they were written directly."""
        code = (
            "import os, pathlib; from bioimageio_core.atomic_files import atomic_folder, write_text; os.umask(0o026)\n"
            "write_text('file', 'text', overwrite=False); pathlib.Path('plain').touch()\n"
            "with atomic_folder(pathlib.Path('folder'), overwrite=False): pass\n"
        )
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
        assert mode(tmp_path / "file") == mode(tmp_path / "plain") == 0o640
        assert mode(tmp_path / "folder") == 0o751

    @posix
    def test_the_umask_is_not_touched(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The umask of the process is never set, not even for a moment: other threads may make files meanwhile."""

        def refused(mask: int) -> int:
            raise AssertionError(f"umask({mask:o})")

        monkeypatch.setattr(os, "umask", refused)
        write_text(tmp_path / "file", "text", overwrite=True)
        with atomic_folder(tmp_path / "folder", overwrite=True):
            pass


class TestLinks:
    def test_a_second_name(self, tmp_path: Path) -> None:
        """The content is there under both names, and a file that is there already stays."""
        (tmp_path / "a").write_bytes(b"content")
        link_or_copy(tmp_path / "a", tmp_path / "b")
        assert (tmp_path / "b").read_bytes() == b"content"
        assert not (tmp_path / "b").is_symlink()
        (tmp_path / "c").write_bytes(b"other")
        link_or_copy(tmp_path / "a", tmp_path / "c")
        assert (tmp_path / "c").read_bytes() == b"other"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the record names open files by /proc")
class TestPower:
    """After a loss of power at any moment, the old content or the new one is there, complete."""

    def test_files(self, tmp_path: Path) -> None:
        """A file that replaces another one."""
        disk, path = tmp_path / "disk", tmp_path / "disk" / "file"
        disk.mkdir()
        with recorded_disk(disk) as record:
            write_text(path, "old", overwrite=False)
            before = len(record.synced)
            write_text(path, "new", overwrite=True)
        for cut in range(before, len(record.synced) + 1):
            after = tmp_path / f"after-{cut}"
            after.mkdir()
            record.restore(cut, after)
            assert (after / "file").read_text() == ("new" if cut == len(record.synced) else "old")

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_folders(self, tmp_path: Path, overwrite: bool) -> None:
        """A folder with folders; it is never there in part."""
        disk, path = tmp_path / "disk", tmp_path / "disk" / "package"
        disk.mkdir()
        with recorded_disk(disk) as record:
            for content in ["old", "new"][not overwrite :]:
                before = len(record.synced)
                with atomic_folder(path, overwrite=overwrite) as part:
                    (part / "sub").mkdir()
                    for name in ("a", "sub/b"):
                        (part / name).write_text(content)
        for cut in range(before, len(record.synced) + 1):
            after = tmp_path / f"after-{cut}"
            after.mkdir()
            record.restore(cut, after)
            found = {name: (after / "package" / name).read_text() for name in ("a", "sub/b") if (after / "package").exists()}
            assert found in ([dict.fromkeys(("a", "sub/b"), "old")] if overwrite else [{}]) + [dict.fromkeys(("a", "sub/b"), "new")]
            assert cut < len(record.synced) or found["a"] == "new"

    def test_a_folder_is_replaced_in_one_step(self, tmp_path: Path) -> None:
        """Who reads it meanwhile finds one of both, at any moment."""
        path = tmp_path / "folder"
        path.mkdir()
        missing, ended = [], threading.Event()

        def look() -> None:
            while not ended.is_set():
                missing.extend([] if path.exists() else [True])

        reader = threading.Thread(target=look)
        reader.start()
        for _ in range(50):
            with atomic_folder(path, overwrite=True):
                pass
        ended.set()
        reader.join()
        assert not missing
