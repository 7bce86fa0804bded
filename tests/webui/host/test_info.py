"""Which host this is, its folders, and its options."""

from __future__ import annotations

import sys

import pytest

from tests.support.webui.fake_webui import ours


@pytest.fixture
def hosts(host):
    return ours("host.info")


def test_each_host_is_told_by_its_memory_manager(host, hosts):
    assert hosts.host() == host.name


@pytest.mark.parametrize(
    "file, name",
    [
        ("backend/memory_management.py", "forge"),
        ("ldm_patched/modules/model_management.py", "reforge"),
        ("backend/other.py", "a1111"),
    ],
)
def test_a_manager_that_is_not_loaded_yet_is_told_by_its_file(one_host, monkeypatch, tmp_path, file, name):
    path = tmp_path / "webui" / file
    path.parent.mkdir(parents=True)
    path.write_text("")
    monkeypatch.setattr(one_host.paths, "script_path", str(tmp_path / "webui"))
    assert ours("host.info").host() == name


def test_a_package_of_another_extension_called_backend_makes_no_forge(one_host, monkeypatch, tmp_path):
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "memory_management.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(one_host.paths, "script_path", str(tmp_path / "webui"))
    monkeypatch.delitem(sys.modules, "backend.memory_management", raising=False)
    assert ours("host.info").host() == "a1111"


def test_an_option_that_does_not_exist_yet_has_its_default(hosts, host):
    assert hosts.option("imagereward_no_such", 5) == 5
    host.shared.opts.imagereward_no_such = None
    assert hosts.option("imagereward_no_such", 5) == 5
    host.shared.opts.imagereward_no_such = 0
    assert hosts.option("imagereward_no_such", 5) == 0


def test_output_folders_are_absolute_each_once_and_empty_settings_are_left_out(
    one_host, monkeypatch, tmp_path
):
    hosts = ours("host.info")
    monkeypatch.chdir(tmp_path)
    options = one_host.shared.opts
    options.outdir_samples, options.outdir_save = "", "log/images"
    options.outdir_txt2img_samples = options.outdir_img2img_samples = str(tmp_path / "out")
    folders = hosts.output_folders()
    assert folders.count(tmp_path / "out") == 1 and tmp_path / "log" / "images" in folders
    assert all(folder.is_absolute() for folder in folders)


def test_folders_the_user_allowed_come_after_the_hosts_own_and_relative_ones_do_not_count(one_host, tmp_path):
    hosts = ours("host.info")
    extra = tmp_path / "meine bilder ü"
    one_host.shared.opts.imagereward_extra_folders = f'\n  "{extra}"  \nrelative/folder\n\n'
    assert hosts.allowed_folders() == [*hosts.output_folders(), extra]


def test_weights_lie_in_the_users_folder_then_in_the_hosts_models(one_host, tmp_path):
    hosts = ours("host.info")
    home = tmp_path / "models" / "imagereward"
    assert hosts.models_folders() == (home,)
    one_host.shared.opts.imagereward_models_folder = str(tmp_path / "own")
    assert hosts.models_folders() == (tmp_path / "own", home)
    assert hosts.data_folder() == tmp_path / "imagereward"


@pytest.mark.parametrize(
    "given, name",
    [
        ("", "rejects"),
        (" Ausschuss ü ", "Ausschuss ü"),
        ("../up", "rejects"),
        ("a/b", "rejects"),
        ("..", "rejects"),
    ],
)
def test_the_rejects_folder_never_leaves_the_folder_of_the_pictures(one_host, given, name):
    one_host.shared.opts.imagereward_rejects_folder = given
    assert ours("host.info").rejects_folder() == name


@pytest.mark.parametrize(
    "manager, version, name",
    [
        ("backend/memory_management.py", "neo", "Forge Neo"),
        ("backend/memory_management.py", "f2.0.1v1.10.1-previous", "Forge"),
        ("ldm_patched/modules/model_management.py", "classic", "Forge Classic"),
        ("ldm_patched/modules/model_management.py", "f1.0.0v2-v1.10.1RC", "reForge"),
    ],
)
def test_later_members_of_forges_family_are_told_by_their_version(
    one_host, monkeypatch, tmp_path, manager, version, name
):
    for file, text in ((manager, ""), ("modules_forge/forge_version.py", f'version = "{version}"\n')):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    monkeypatch.setattr(one_host.paths, "script_path", str(tmp_path))
    hosts = ours("host.info")
    assert hosts.TITLES[hosts.host()] == name


def test_the_folder_of_upscaled_pictures_is_one_the_host_writes_to(one_host, tmp_path):
    one_host.shared.opts.outdir_hires_samples = str(tmp_path / "hires")
    assert tmp_path / "hires" in ours("host.info").output_folders()
