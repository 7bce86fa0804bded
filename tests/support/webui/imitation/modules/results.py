"""What a run comes to, and the text that tells how a picture was made."""

import json

from modules import convention, infotext_utils


class Processed:
    """What a run comes to."""

    def __init__(
        self,
        p,
        images_list,
        seed=-1,
        info="",
        subseed=None,
        index_of_first_image=0,
        infotexts=None,
        comments="",
        extra_images_list=(),
    ):
        self.images, self.seed, self.info, self.subseed = images_list, seed, info, subseed
        self.comments = "".join(f"{comment}\n" for comment in p.comments)
        self.prompt = p.prompt if not isinstance(p.prompt, list) else p.prompt[0]
        self.width, self.height, self.batch_size = p.width, p.height, p.batch_size
        self.extra_generation_params, self.index_of_first_image = (
            p.extra_generation_params,
            index_of_first_image,
        )
        self.all_prompts = p.all_prompts or [self.prompt]
        self.all_negative_prompts = p.all_negative_prompts or [p.negative_prompt]
        self.all_seeds, self.all_subseeds = p.all_seeds or [seed], p.all_subseeds or [subseed]
        self.infotexts = infotexts or [info] * len(images_list)
        if convention.HOST != "a1111":
            self.extra_images = extra_images_list

    def js(self):
        return json.dumps(
            {
                "prompt": self.all_prompts[0],
                "all_prompts": self.all_prompts,
                "all_negative_prompts": self.all_negative_prompts,
                "seed": self.seed,
                "all_seeds": self.all_seeds,
                "subseed": self.subseed,
                "all_subseeds": self.all_subseeds,
                "extra_generation_params": self.extra_generation_params,
                "index_of_first_image": self.index_of_first_image,
                "infotexts": self.infotexts,
            },
            default=lambda value: None,
        )


def create_infotext(
    p,
    all_prompts,
    all_seeds,
    all_subseeds,
    comments=None,
    iteration=0,
    position_in_batch=0,
    use_main_prompt=False,
    index=None,
    all_negative_prompts=None,
):
    if index is None:
        index = position_in_batch + iteration * p.batch_size
    prompt = p.main_prompt if use_main_prompt else all_prompts[index]
    found = {
        "Steps": p.steps,
        "Sampler": "Euler",
        "Seed": p.all_seeds[0] if use_main_prompt else all_seeds[index],
        "Size": f"{p.width}x{p.height}",
        "Face restoration": "CodeFormer" if p.restore_faces else None,
        **p.extra_generation_params,
        "Version": "v1.10.1",
    }
    for key, value in found.items():
        if isinstance(value, list):
            found[key] = value[index]
        elif callable(value):
            found[key] = value(p=p, index=index, use_main_prompt=use_main_prompt)
    settings = ", ".join(
        f"{key}: {infotext_utils.quote(value)}" for key, value in found.items() if value is not None
    )
    negative = f"\nNegative prompt: {p.negative_prompt}" if p.negative_prompt else ""
    return f"{prompt}{negative}\n{settings}".strip()
