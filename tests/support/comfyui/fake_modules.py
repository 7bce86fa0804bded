"""The host's modules as far as the nodes use them, with the host's own behaviour where it matters."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import torch

from tests.support.comfyui import fake_io


class ExecutionBlocker:
    def __init__(self, message):
        self.message = message


class ModelPatcher:
    """Writes onto the module what the real one writes; moves it as a whole."""

    def __init__(self, model, load_device, offload_device, size=0, weight_inplace_update=False):
        self.model, self.load_device, self.offload_device = model, load_device, offload_device
        model.device = offload_device
        model.model_loaded_weight_memory = 0
        model.current_weight_patches_uuid = None


def _management(recent):
    module = types.ModuleType("comfy.model_management")
    module.loads, module.loaded, module.interrupted, module.emptied = [], [], False, 0
    module.device, module.free = torch.device("cpu"), 8 << 30

    class InterruptProcessingException(BaseException if recent else Exception):
        pass

    def load_models_gpu(
        models,
        memory_required=0,
        force_patch_weights=False,
        minimum_memory_required=None,
        force_full_load=False,
    ):
        assert force_full_load, "a plain network would be loaded in part"
        for patcher in models:
            module.loads.append((patcher, memory_required))
            patcher.model.to(patcher.load_device)
            if patcher not in module.loaded:
                module.loaded.append(patcher)

    def unload_all_models():
        for patcher in module.loaded:
            patcher.model.to(patcher.offload_device)
        module.loaded.clear()

    def throw_exception_if_processing_interrupted():
        if module.interrupted:
            module.interrupted = False
            raise InterruptProcessingException()

    def interrupt_current_processing(value=True):
        module.interrupted = value

    def soft_empty_cache(force=False):
        module.emptied += 1

    module.InterruptProcessingException = InterruptProcessingException
    module.load_models_gpu, module.unload_all_models = load_models_gpu, unload_all_models
    module.throw_exception_if_processing_interrupted = throw_exception_if_processing_interrupted
    module.soft_empty_cache = soft_empty_cache
    module.interrupt_current_processing = interrupt_current_processing
    module.get_torch_device = lambda: module.device
    module.get_free_memory = lambda device=None: module.free
    module.should_use_bf16 = lambda device=None: False
    module.should_use_fp16 = lambda device=None: False
    if recent:
        module.is_oom = lambda error: "device is full" in str(error)
    return module


class ProgressBar:
    seen: list = []
    interrupt = None

    def __init__(self, total, node_id=None):
        self.total, self.current = total, 0

    def update_absolute(self, value, total=None, preview=None):
        self.current, self.total = value, total or self.total
        ProgressBar.seen.append((self.current, self.total))
        if ProgressBar.interrupt and ProgressBar.interrupt[0] == ProgressBar.seen[-1]:
            ProgressBar.interrupt[1].interrupted, ProgressBar.interrupt = True, None

    def update(self, value):
        self.update_absolute(self.current + value)


def _folder_paths(base):
    module = types.ModuleType("folder_paths")
    for name in ("models", "input", "output", "temp"):
        (base / name).mkdir(parents=True, exist_ok=True)
    module.models_dir = str(base / "models")
    module.folder_names_and_paths = {}

    def add_model_folder_path(name, path, is_default=False):
        paths, _ = module.folder_names_and_paths.setdefault(name, ([], set()))
        if path not in paths:
            paths.insert(0, path) if is_default else paths.append(path)

    def get_filename_list(name):
        paths, suffixes = module.folder_names_and_paths[name]
        return sorted(
            {
                file.relative_to(path).as_posix()
                for path in paths
                for file in Path(path).rglob("*")
                if file.suffix in suffixes
            }
        )

    def get_full_path_or_raise(name, file):
        for path in module.folder_names_and_paths[name][0]:
            if (Path(path) / file).is_file():
                return str(Path(path) / file)
        raise FileNotFoundError(f"Model in folder '{name}' with filename '{file}' not found.")

    module.add_model_folder_path, module.get_filename_list = add_model_folder_path, get_filename_list
    module.get_full_path_or_raise = get_full_path_or_raise
    module.get_folder_paths = lambda name: module.folder_names_and_paths[name][0][:]
    module.get_input_directory = lambda: str(base / "input")
    module.get_output_directory = lambda: str(base / "output")
    module.get_temp_directory = lambda: str(base / "temp")
    module.get_input_subfolders = lambda: sorted(
        folder.relative_to(base / "input").as_posix()
        for folder in (base / "input").rglob("*")
        if folder.is_dir()
    )
    return module


def install(monkeypatch, base, recent):
    """Puts the host's modules into place for one test; returns them."""
    latest = types.ModuleType("comfy_api.latest")
    latest.io = fake_io.make_io(recent)
    latest.ui = types.SimpleNamespace(
        PreviewImage=fake_io.PreviewImage, SavedImages=fake_io.SavedImages, SavedResult=fake_io.SavedResult
    )
    latest.ComfyExtension = fake_io.ComfyExtension
    management = _management(recent)
    parts = {
        "comfy_api": types.ModuleType("comfy_api"),
        "comfy_api.latest": latest,
        "comfy": types.ModuleType("comfy"),
        "comfy.model_management": management,
        "comfy.model_patcher": types.SimpleNamespace(ModelPatcher=ModelPatcher),
        "comfy.utils": types.SimpleNamespace(ProgressBar=ProgressBar),
        "comfy.cli_args": types.SimpleNamespace(args=types.SimpleNamespace(disable_metadata=False)),
        "comfy_execution": types.ModuleType("comfy_execution"),
        "comfy_execution.graph_utils": types.SimpleNamespace(ExecutionBlocker=ExecutionBlocker),
        "folder_paths": _folder_paths(base),
    }
    for name, module in parts.items():
        monkeypatch.setitem(sys.modules, name, module)
        if "." in name:
            setattr(parts[name.rpartition(".")[0]], name.rpartition(".")[2], module)
    ProgressBar.seen, ProgressBar.interrupt = [], None
    return types.SimpleNamespace(
        management=management, folder_paths=parts["folder_paths"], args=parts["comfy.cli_args"].args
    )
