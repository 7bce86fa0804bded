"""Options, state and arguments."""

import types

DEFAULTS = {
    "samples_save": True,
    "save_incomplete_images": False,
    "samples_format": "png",
    "grid_save": True,
    "grid_format": "png",
    "return_grid": True,
    "grid_only_if_multiple": True,
    "enable_pnginfo": True,
    "save_txt": False,
    "save_to_dirs": False,
    "directories_filename_pattern": "[date]",
    "samples_filename_pattern": "[seed]",
    "save_images_add_number": True,
    "return_mask": False,
    "save_mask": False,
    "save_images_before_highres_fix": False,
    "save_images_before_face_restoration": False,
    "enable_prompt_comments_def": False,
    "save_prompt_comments": False,
    "use_old_scheduling": False,
}


class Options:
    """Attribute access to ``data``, with defaults."""

    def __init__(self):
        self.__dict__["data"] = {}

    def __getattr__(self, key):
        data = self.__dict__["data"]
        if key in data:
            return data[key]
        if key in DEFAULTS:
            return DEFAULTS[key]
        raise AttributeError(key)

    def __setattr__(self, key, value):
        self.__dict__["data"][key] = value


class State:
    """What the buttons set and the progress bar reads."""

    def __init__(self):
        self.begin()

    def begin(self, job=""):
        self.skipped = self.interrupted = self.stopping_generation = False
        self.processing_has_refined_job_count = False
        self.job, self.job_no, self.job_count = job, 0, -1
        self.job_timestamp, self.textinfo = "20260101000000", None

    def end(self):
        self.job, self.job_count = "", 0

    def nextjob(self):
        self.job_no += 1


class Styles:
    """One style adds its own name to the prompt."""

    styles = {}

    def apply_styles_to_prompt(self, prompt, styles):
        return ", ".join([prompt, *(f"style of {style}" for style in styles)])

    def apply_negative_styles_to_prompt(self, prompt, styles):
        return prompt


opts = Options()
state = State()
cmd_opts = types.SimpleNamespace(api=True, nowebui=False, no_prompt_history=True, embeddings_dir="none")
prompt_styles = Styles()
total_tqdm = types.SimpleNamespace(updateTotal=lambda total: None, clear=lambda: None)
sd_model = types.SimpleNamespace(sd_model_hash="0123456789")
demo = None
