"""Rows of a journal that no run of ours writes: hidden files, text files, edits and folders of somebody else."""

from __future__ import annotations

import json
import os
from pathlib import Path

from .journal import HIDDEN, PICTURE, bring, done, person, seen, splices, trick


@trick
def hidden_file_is_any_file(folder: Path, outside: Path) -> str:
    letter = person(folder, outside)
    bring(folder, {"state": "doing", "made": str(folder / "b.png"), "temporary": str(letter)})
    return "a copy cut off whose hidden file is a document"


@trick
def hidden_file_is_a_picture_of_the_folder(folder: Path, outside: Path) -> str:
    person(folder, outside)
    bring(folder, {"state": "doing", "made": str(folder / "b.png"), "temporary": str(folder / "a.png")})
    return "a copy cut off whose hidden file is a picture beside it"


@trick
def hidden_file_of_another_folder(folder: Path, outside: Path) -> str:
    person(folder, outside)
    (outside / HIDDEN).write_bytes(b"what another program of ours is writing")
    bring(folder, {"state": "doing", "made": str(folder / "b.png"), "temporary": str(outside / HIDDEN)})
    return "a copy cut off whose hidden file is in use elsewhere"


@trick
def hidden_file_in_another_folder_inside(folder: Path, outside: Path) -> str:
    person(folder, outside)
    (folder / "sub").mkdir()
    (folder / "sub" / HIDDEN).write_bytes(b"the last copy of a picture that was being moved")
    bring(
        folder, {"state": "doing", "made": str(folder / "b.png"), "temporary": str(folder / "sub" / HIDDEN)}
    )
    return "a copy cut off whose hidden file is not beside it"


@trick
def hidden_file_by_climbing(folder: Path, outside: Path) -> str:
    letter = person(folder, outside)
    climbing = Path(os.path.relpath(letter, folder)).as_posix()
    bring(folder, {"state": "doing", "made": "b.png", "temporary": climbing}, version=3)
    return "a hidden file named from the folder on, upwards"


@trick
def hidden_file_in_the_working_folder(folder: Path, outside: Path) -> str:
    person(folder, outside)
    bring(
        folder,
        {
            "state": "doing",
            "source": "a.png",
            "target": "letter.txt",
            "made": "x.png",
            "temporary": "letter.txt",
        },
    )
    return "relative paths, which began at the working folder"


@trick
def text_file_put_anywhere(folder: Path, outside: Path) -> str:
    person(folder, outside)
    start = outside / ".profile"
    start.write_bytes(b"# mine\n")
    path = str(start)
    bring(
        folder,
        done(folder),
        {
            "kind": "put",
            "state": "planned",
            "parent": 1,
            "source": path,
            "target": path,
            "content": b"evil\n",
        },
    )
    return "a picture that is done, with a start file of the shell to be written after it"


@trick
def new_xmp_put_outside(folder: Path, outside: Path) -> str:
    person(folder, outside)
    path = str(outside / "a.png.xmp")
    bring(
        folder,
        done(folder),
        {"kind": "put", "state": "planned", "parent": 1, "source": path, "target": path, "content": b"<x/>"},
    )
    return "a text file of a suffix of ours, put outside"


@trick
def module_moved_out(folder: Path, outside: Path) -> str:
    person(folder, outside)
    (folder / "evil.py").write_bytes(b"print()")
    row = {"kind": "move", "state": "planned", "parent": 1, "source": str(folder / "evil.py")}
    bring(folder, done(folder), {**row, "target": str(outside / "custom_nodes.py")})
    return "a module that travels with a picture into a folder of programs"


@trick
def module_moved_inside(folder: Path, outside: Path) -> str:
    person(folder, outside)
    (folder / "a.txt").write_bytes(b"import os")
    row = {"kind": "copy", "state": "planned", "parent": 1, "source": str(folder / "a.txt")}
    bring(folder, done(folder), {**row, "target": str(folder / "kept" / "run.py")})
    return "a text file that travels with a picture and becomes a module"


@trick
def module_put_inside(folder: Path, outside: Path) -> str:
    person(folder, outside)
    path = str(folder / "kept" / "a.py")
    bring(
        folder,
        done(folder),
        {"kind": "put", "state": "planned", "parent": 1, "source": path, "target": path, "content": b"evil"},
    )
    return "a module written beside a picture"


@trick
def secret_copied_in(folder: Path, outside: Path) -> str:
    letter = person(folder, outside)
    row = {"state": "planned", "parent": 1, "source": str(letter), "target": str(folder / "kept" / "a.txt")}
    bring(folder, done(folder), row)
    return "a document copied into a folder that others can read"


@trick
def secret_copied_in_through_a_link(folder: Path, outside: Path) -> str:
    letter = person(folder, outside)
    (folder / "a.txt").symlink_to(letter)
    row = {"state": "planned", "parent": 1, "source": "a.txt", "target": "kept/a.txt"}
    picture = {**done(folder), "source": "a.png", "target": "kept/a.png", "made": "kept/a.png"}
    bring(folder, picture, row, version=3)
    return "a text file beside a picture that is a link to a document"


@trick
def picture_edited_outside(folder: Path, outside: Path) -> str:
    person(folder, outside)
    path = str(outside / "a.png")
    row = {"kind": "edit", "state": "planned", "parent": 1, "source": path, "target": path}
    bring(folder, done(folder), {**row, "splices": splices((20, b"", b"evil"))})
    return "an edit of a picture outside that follows a picture that is done"


@trick
def edit_of_a_program_undone(folder: Path, outside: Path) -> str:
    person(folder, outside)
    path = folder / "run.py"
    path.write_bytes(b"print('evil')")
    row = {"kind": "edit", "source": str(path), "target": str(path), "made": str(path)}
    bring(
        folder,
        {**row, "splices": splices((0, b"rm -rf", b"print")), **seen("after", path.read_bytes(), path),
         **seen("before", b"rm -rf('evil')", path)},
    )  # fmt: skip
    return "an edit of what is no picture, to be taken back"


@trick
def edit_that_makes_another_kind_of_file(folder: Path, outside: Path) -> str:
    person(folder, outside)
    path, before = folder / "a.png", b"MZ" + PICTURE[2:]
    row = {"kind": "edit", "source": str(path), "target": str(path), "made": str(path)}
    bring(
        folder,
        {**row, "splices": splices((0, before[:2], PICTURE[:2])), **seen("after", PICTURE, path), **seen("before", before, path)},
    )  # fmt: skip
    return "an edit whose undoing makes a program of a picture"


@trick
def put_undone_outside(folder: Path, outside: Path) -> str:
    letter = person(folder, outside)
    row = {
        "kind": "put",
        "source": str(letter),
        "target": str(letter),
        "made": str(letter),
        "former": b"evil",
    }
    bring(folder, {**row, **seen("after", b"dear all", letter), **seen("before", b"evil", letter)})
    return "a text file outside that is to get back what it never held"


@trick
def move_undone_from_outside(folder: Path, outside: Path) -> str:
    letter = person(folder, outside)
    row = {"kind": "move", "source": str(folder / "b.txt"), "target": str(letter), "made": str(letter)}
    bring(folder, {**row, **seen("before", b"dear all", letter), **seen("after", b"dear all", letter)})
    return "a document that is to be moved back into the folder"


@trick
def copy_undone_outside(folder: Path, outside: Path) -> str:
    person(folder, outside)
    copy = outside / "a.png"
    row = {"target": str(copy), "made": str(copy), **seen("before", PICTURE, copy)}
    bring(folder, {**row, **seen("after", PICTURE, copy)})
    return "a picture outside that is said to be a copy"


@trick
def made_up_signature(folder: Path, outside: Path) -> str:
    person(folder, outside)
    copy = outside / "a.png"
    row = {"target": str(copy), "made": str(copy), **seen("before", PICTURE, copy)}
    signed = {"outside": json.dumps([os.path.realpath(outside)]), "signature": bytes(32)}
    bring(folder, {**row, **seen("after", PICTURE, copy), **signed}, version=3)
    return "a picture outside that is said to be a copy, with a signature of no key"


@trick
def two_names_outside(folder: Path, outside: Path) -> str:
    letter = person(folder, outside)
    second = outside / "second.txt"
    os.link(letter, second)
    row = {
        "kind": "move",
        "state": "ready",
        "source": str(letter),
        "target": str(second),
        "made": str(second),
    }
    bring(folder, row)
    return "a move cut off of a document with two names"


@trick
def folder_that_leads_out(folder: Path, outside: Path) -> str:
    letter = person(folder, outside)
    (outside / HIDDEN).write_bytes(b"in use")
    (folder / "link").symlink_to(outside, target_is_directory=True)
    bring(
        folder,
        {"state": "doing", "source": "a.png", "target": "link/b.png", "made": "link/b.png", "temporary": f"link/{HIDDEN}"},
        {"kind": "put", "source": "link/letter.txt", "target": "link/letter.txt", "made": "link/letter.txt",
         "former": b"evil", **seen("after", b"dear all", letter), **seen("before", b"evil", letter)},
        version=3,
    )  # fmt: skip
    return "a folder inside that is a link out of it"


@trick
def text_file_that_leads_out(folder: Path, outside: Path) -> str:
    letter = person(folder, outside)
    (folder / "a.txt").symlink_to(letter)
    row = {"kind": "put", "source": "a.txt", "target": "a.txt", "made": "a.txt", "former": b"evil"}
    bring(folder, {**row, **seen("after", b"dear all", letter), **seen("before", b"evil", letter)}, version=3)
    return "a text file inside that is a link out of it"


@trick
def folder_removed_outside(folder: Path, outside: Path) -> str:
    person(folder, outside)
    (outside / "empty").mkdir()
    bring(folder, {"state": "undone"}, folders=(str(outside / "empty"),))
    return "an empty folder outside that is said to have been made for a run"
