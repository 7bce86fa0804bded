"""The loop that makes pictures: hooks, saves and infotexts in the order of each host, with flat colours for a model."""

from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image

from modules import convention, images, scripts, shared
from modules.results import Processed, create_infotext
from modules.shared import opts, state


class DecodedSamples(list):
    already_decoded = True


def get_fixed_seed(seed):
    return 1000 if seed in (-1, "", None) else seed


@dataclass(repr=False)
class StableDiffusionProcessing:
    outpath_samples: str = None
    outpath_grids: str = None
    prompt: str = ""
    negative_prompt: str = ""
    styles: list = None
    seed: int = -1
    subseed: int = -1
    subseed_strength: float = 0
    batch_size: int = 1
    n_iter: int = 1
    steps: int = 20
    width: int = 64
    height: int = 64
    restore_faces: bool = False
    do_not_save_samples: bool = False
    do_not_save_grid: bool = False
    extra_generation_params: dict = None
    override_settings: dict = None
    mask_for_overlay: object = None
    scripts_value: object = field(default=None, init=False)
    script_args_value: object = field(default=None, init=False)
    is_api: bool = field(default=False, init=False)

    def __post_init__(self):
        self.styles = self.styles or []
        self.extra_generation_params = self.extra_generation_params or {}
        self.override_settings = self.override_settings or {}
        self.comments, self.sd_model, self.iteration = {}, shared.sd_model, 0
        self.all_prompts = self.all_negative_prompts = self.all_seeds = self.all_subseeds = None
        self.prompts = self.negative_prompts = self.seeds = self.subseeds = None
        self.extra_result_images = []

    scripts = property(
        lambda self: self.scripts_value, lambda self, value: self._assign("scripts_value", value)
    )
    script_args = property(
        lambda self: self.script_args_value, lambda self, value: self._assign("script_args_value", value)
    )

    def _assign(self, name, value):
        setattr(self, name, value)
        if self.scripts_value and self.script_args_value and not getattr(self, "scripts_setup_complete", 0):
            self.scripts_setup_complete = True
            self.scripts_value.setup_scrips(self, is_ui=not self.is_api)

    def comment(self, text):
        self.comments[text] = 1

    def close(self):
        pass

    def setup_prompts(self):
        number = self.batch_size * self.n_iter
        self.all_prompts = self.prompt if isinstance(self.prompt, list) else [self.prompt] * number
        self.all_negative_prompts = [self.negative_prompt] * len(self.all_prompts)
        apply = shared.prompt_styles.apply_styles_to_prompt
        self.all_prompts = [apply(prompt, self.styles) for prompt in self.all_prompts]
        self.main_prompt, self.main_negative_prompt = self.all_prompts[0], self.all_negative_prompts[0]

    def init(self, all_prompts, all_seeds, all_subseeds):
        pass

    def save_samples(self, *, is_video=False):
        complete = opts.save_incomplete_images or (not state.interrupted and not state.skipped)
        return opts.samples_save and not self.do_not_save_samples and complete

    def paint(self, seeds, level, width, height):
        """Flat pictures in -1..1, [3, height, width], one per seed."""
        return [torch.full((3, height, width), 2 * level(int(seed)) - 1) for seed in seeds]

    def sample(self, seeds, prompts):
        return DecodedSamples(self.paint(seeds, convention.level, self.width, self.height))


@dataclass(repr=False)
class StableDiffusionProcessingTxt2Img(StableDiffusionProcessing):
    enable_hr: bool = False
    hr_scale: float = 2.0
    hr_upscaler: str = "Lanczos"
    hr_prompt: str = ""
    hr_negative_prompt: str = ""
    firstpass_image: object = None

    def __post_init__(self):
        super().__post_init__()
        self.hr_c = self.hr_uc = None
        self.latent_scale_mode = None if self.hr_upscaler == "Lanczos" else {"mode": "nearest"}
        self.passes = []

    def setup_prompts(self):
        super().setup_prompts()
        if self.enable_hr:
            self.all_hr_prompts = list(self.all_prompts)
            self.all_hr_negative_prompts = list(self.all_negative_prompts)

    def init(self, all_prompts, all_seeds, all_subseeds):
        if self.enable_hr:
            self.extra_generation_params["Hires upscale"] = self.hr_scale

    def sample(self, seeds, prompts):
        if not self.enable_hr:
            return super().sample(seeds, prompts)
        if self.firstpass_image is not None:
            level = float(np.asarray(self.firstpass_image).mean()) / 127.5 - 1
            first = torch.full((1, 3, self.height, self.width), level)
        else:
            first = torch.stack(self.paint(seeds, convention.level, self.width, self.height))
        latents = first if self.latent_scale_mode else torch.zeros(len(first), 4, 8, 8)
        decoded = None if self.latent_scale_mode else first
        if convention.HOST == "neo" and decoded is not None:
            decoded = ((decoded + 1) / 2).clamp(0, 1)
        if convention.KNOWS_TIME:
            latents = latents.unsqueeze(2)
            decoded = None if decoded is None else decoded.unsqueeze(1)
        self.hr_c = ["conditions for", len(self.hr_prompts)]
        return self.sample_hr_pass(latents, decoded, seeds, self.subseeds, self.subseed_strength, prompts)

    def sample_hr_pass(self, samples, decoded_samples, seeds, subseeds, subseed_strength, prompts):
        if state.interrupted:
            return samples
        if self.hr_c is None:
            self.hr_c = ["conditions for", len(self.hr_prompts)]
        if decoded_samples is not None:
            decoded_samples = decoded_samples.squeeze(1) if decoded_samples.ndim == 5 else decoded_samples
            decoded_samples = decoded_samples * 2 - 1 if convention.HOST == "neo" else decoded_samples
        assert len(samples) == len(seeds) == len(prompts) == self.hr_c[1] == len(self.seeds), (
            "rows that do not fit"
        )
        for at in range(len(samples)):
            if self.save_samples() and opts.save_images_before_highres_fix:
                picture = _to_pil(((samples if decoded_samples is None else decoded_samples)[at] + 1) / 2)
                info = create_infotext(
                    self,
                    self.all_prompts,
                    self.all_seeds,
                    self.all_subseeds,
                    [],
                    iteration=self.iteration,
                    position_in_batch=at,
                )
                images.save_image(
                    picture,
                    self.outpath_samples,
                    "",
                    seeds[at],
                    prompts[at],
                    opts.samples_format,
                    info=info,
                    p=self,
                    suffix="-before-highres-fix",
                )
        if self.scripts is not None:
            self.scripts.before_hr(self)
        self.passes.append([int(seed) for seed in self.seeds])
        scale = int(self.hr_scale)
        return DecodedSamples(
            self.paint(self.seeds, convention.hires_level, self.width * scale, self.height * scale)
        )


@dataclass(repr=False)
class StableDiffusionProcessingImg2Img(StableDiffusionProcessing):
    init_images: list = None


def decode_latent_batch(model, batch, target_device=None, check_for_nans=False):
    return DecodedSamples([each.movedim(1, 0) if each.ndim == 4 else each for each in batch])


def process_images(p):
    if p.scripts is not None:
        p.scripts.before_process(p)
    return process_images_inner(p)


def _to_pil(tensor):
    array = (255.0 * np.moveaxis(tensor.clamp(0, 1).cpu().numpy(), 0, 2)).astype(np.uint8)
    return Image.fromarray(array)


@contextmanager
def _no_gradients():
    with torch.no_grad() if convention.HOST == "a1111" else torch.inference_mode():
        yield


def process_images_inner(p):
    seed, subseed = get_fixed_seed(p.seed), get_fixed_seed(p.subseed)
    p.setup_prompts()
    p.all_seeds = [int(seed) + (0 if p.subseed_strength else at) for at in range(len(p.all_prompts))]
    p.all_subseeds = [int(subseed) + at for at in range(len(p.all_prompts))]
    if p.scripts is not None:
        p.scripts.process(p)
    if convention.HOST == "neo" and opts.save_prompt_comments:
        p._all_prompts_c, p._all_negative_prompts_c = list(p.all_prompts), list(p.all_negative_prompts)
        p.all_prompts = [prompt.partition("#")[0].rstrip() for prompt in p.all_prompts]
    infotexts, output, first = [], [], 0
    with _no_gradients():
        p.init(p.all_prompts, p.all_seeds, p.all_subseeds)
        if state.job_count == -1:
            state.job_count = p.n_iter
        for n in range(p.n_iter):
            p.iteration = n
            state.skipped = False
            if state.interrupted or state.stopping_generation:
                break
            _one_batch(p, n, infotexts, output)
        if not infotexts:
            infotexts.append(create_infotext(p, p.all_prompts, p.all_seeds, p.all_subseeds))
        few = len(output) < 2 and opts.grid_only_if_multiple
        if (opts.return_grid or opts.grid_save) and not p.do_not_save_grid and not few:
            grid = images.image_grid(output, p.batch_size)
            text = _batch_infotext(p, 0, use_main_prompt=True)
            if opts.return_grid:
                infotexts.insert(0, text)
                grid.info["parameters"] = text
                output.insert(0, grid)
                first = 1
            if opts.grid_save:
                folder = p.outpath_grids
                images.save_image(
                    grid, folder, "grid", p.all_seeds[0], p.all_prompts[0], info=text, p=p, grid=True
                )
    extra = {} if convention.HOST == "a1111" else {"extra_images_list": p.extra_result_images}
    result = Processed(
        p,
        output,
        seed=p.all_seeds[0],
        info=infotexts[0],
        subseed=p.all_subseeds[0],
        index_of_first_image=first,
        infotexts=infotexts,
        **extra,
    )
    if p.scripts is not None:
        p.scripts.postprocess(p, result)
    return result


def _batch_infotext(p, index, use_main_prompt=False):
    if hasattr(p, "_all_prompts_c"):
        raw = p._all_prompts_c[_rows(p, p.iteration)]
        return create_infotext(p, raw, p.seeds, p.subseeds, index=index)
    if convention.HOST != "reforge":
        return create_infotext(
            p, p.prompts, p.seeds, p.subseeds, use_main_prompt=use_main_prompt, index=index
        )
    if opts.enable_prompt_comments_def:
        p.prompts[index] = p.prompt  # this host writes into the list it was given
    return create_infotext(p, p.prompts, p.seeds, p.subseeds, index=index)


def _rows(p, n):
    return slice(n * p.batch_size, (n + 1) * p.batch_size)


def _one_batch(p, n, infotexts, output):
    rows = _rows(p, n)
    p.prompts, p.negative_prompts = p.all_prompts[rows], p.all_negative_prompts[rows]
    p.seeds, p.subseeds = p.all_seeds[rows], p.all_subseeds[rows]
    if getattr(p, "enable_hr", False):
        p.hr_prompts, p.hr_negative_prompts = p.all_hr_prompts[rows], p.all_hr_negative_prompts[rows]
    about = {"batch_number": n, "prompts": p.prompts, "seeds": p.seeds, "subseeds": p.subseeds}
    p.scripts.before_process_batch(p, **about)
    p.prompts = [prompt.partition("<lora:")[0] for prompt in p.prompts]
    p.scripts.process_batch(p, **about)
    if p.n_iter > 1:
        state.job = f"Batch {n + 1} out of {p.n_iter}"
    samples = p.sample(p.seeds, p.prompts)
    args = scripts.PostSampleArgs(samples)
    p.scripts.post_sample(p, args)
    pixels = ((torch.stack(list(args.samples)).float() + 1) / 2).clamp(0, 1)
    pixels = pixels.reshape(-1, *pixels.shape[-3:])
    state.nextjob()
    p.scripts.postprocess_batch(p, images=pixels, batch_number=n)
    p.prompts, p.negative_prompts = p.all_prompts[rows], p.all_negative_prompts[rows]
    batch = scripts.PostprocessBatchListArgs(list(pixels))
    p.scripts.postprocess_batch_list(p, batch, batch_number=n)
    saving = p.save_samples()
    for i, pixel in enumerate(batch.images):
        p.batch_index = i
        infotexts.append(_one_picture(p, i, _to_pil(pixel), saving, output))


def _one_picture(p, i, image, saving, output):
    def save(picture, suffix=""):
        prompt, info = p.prompts[i], _batch_infotext(p, i)
        images.save_image(
            picture,
            p.outpath_samples,
            "",
            p.seeds[i],
            prompt,
            opts.samples_format,
            info=info,
            p=p,
            **({"suffix": suffix} if suffix else {}),
        )

    if p.restore_faces and saving and opts.save_images_before_face_restoration:
        save(image, "-before-face-restoration")
    index = (i + p.iteration * p.batch_size,)
    args = scripts.PostprocessImageArgs(image, *index)
    p.scripts.postprocess_image(p, args)
    p.scripts.postprocess_maskoverlay(p, scripts.PostProcessMaskOverlayArgs(i, p.mask_for_overlay, None))
    args = scripts.PostprocessImageArgs(args.image, *index)
    p.scripts.postprocess_image_after_composite(p, args)
    image = args.image
    if saving:
        save(image)
    text = _batch_infotext(p, i)
    if opts.enable_pnginfo:
        image.info["parameters"] = text
    output.append(image)
    if p.mask_for_overlay is not None:
        mask = p.mask_for_overlay.convert("RGB")
        if saving and opts.save_mask:
            save(mask, "-mask")
        if opts.return_mask:
            output.append(mask)
    return text


def txt2img(p):
    """What a page or the API does around a run."""
    with closing(p):
        return p.scripts.run(p, *p.script_args) or process_images(p)
