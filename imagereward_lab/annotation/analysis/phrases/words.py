"""Phrases that ask for quality, resolution or attention and name neither what is to be seen nor a look: a list of our own.

Words are as :mod:`.rules` compares them: lower case, hyphens as spaces. Names of renderers and of sites whose pictures are liked stand in
prompts for the same wish, so they are here; names of artists and media are a style and are not.
"""

from __future__ import annotations

_QUALITY = """
amazing quality, award winning, award winner, award winning art, award winning photo, award winning photograph, award winning photography,
best quality, best composition, best lighting, best shadow, best resolution, breathtaking, excellent quality, exquisite detail,
exquisite details, extraordinary detail, flawless, finely detailed, good quality, great quality, great composition, great detail,
high quality, high quality render, highest quality, high end, incredible detail, incredible quality, jaw dropping, masterpiece,
masterpieces, masterwork, master piece, mind blowing, museum quality, perfect, perfect composition, perfect quality, perfection, premium,
premium quality, professional, professional quality, professional photo, professional photograph, professional photography, really good,
stunning, stunning quality, super quality, superb, superb quality, top quality, top notch, ultra quality, ultra high quality, very good,
very high quality, well composed, well drawn, world class, worlds best, beautiful composition, good composition, dynamic composition,
artistic masterpiece, absolutely stunning, absurdly detailed, absurdres, very aesthetic, aesthetic quality, official quality
"""
_DETAIL = """
crisp, crisp details, crisp detail, crisp focus, crisp lines, detailed, delicate details, elaborate detail, elaborate details,
extreme detail, extreme details, extremely detailed, extremely detailed cg unity 8k wallpaper, extremely intricate, extremely high detail,
extremely sharp, fine detail, fine details, full detail, high detail, high details, high detailed, highly detail, highly detailed,
highly intricate, highly refined, highly polished, hyper detail, hyper detailed, hyperdetailed, incredibly detailed, insane detail,
insane details, insanely detailed, intricate, intricate detail, intricate details, intricately detailed, intricate and detailed,
lots of detail, lots of details, maximum detail, maximum details, meticulously detailed, micro details, minute details, much detail,
overdetailed, over detailed, perfect details, razor sharp, rich details, rich detail, richly detailed, sharp, sharp detail,
sharp details, sharp edges, sharp focus, sharp image, sharp lines, sharp photo, sharply focused, super detail, super detailed,
superdetailed, super sharp, tack sharp, ultra detail, ultra detailed, ultradetailed, ultra fine, ultra fine detail, ultra sharp,
unbelievably detailed, very detailed, very detail, very intricate, very sharp, very highly detailed, vivid details, well detailed,
high texture, highly textured, ultra textured, detailed texture, detailed textures, high quality textures, in focus, clear focus,
perfect focus, in sharp focus, clean, clean lines, clear, crystal clear, ornate details, elegant details, smooth, ultra smooth,
so detailed, amazing detail, amazing details, beautiful detail, beautiful details, beautifully detailed, perfectly detailed
"""
_RESOLUTION = """
full hd, fullhd, hd, hd photo, hd photography, hd quality, hd render, hd wallpaper, hdr, high definition, high res, highres, hi res, hires,
high resolution, high resolution photo, high resolution photograph, higher resolution, highest resolution, large resolution,
super resolution, super high resolution, ultra hd, ultrahd, ultra high definition, ultra high res, ultra high resolution, uhd, uhdr,
very high resolution, qhd, retina, wallpaper, desktop wallpaper, phone wallpaper, hd desktop wallpaper, gigapixel, megapixel, megapixels,
dslr quality, print quality, imax, imax quality, 1080p, 2160p, 1440p, 720p, 60fps, super hd, high fidelity, hifi
"""
_PRAISE = """
trending, trending art, trending on art station, trending on artstation, trending on artstation hq, trending artstation,
trending on artstation and cgsociety, trending on behance, trending on cgsociety, trending on deviant art, trending on deviantart,
trending on dribbble, trending on flickr, trending on instagram, trending on pinterest, trending on pixiv, trending on reddit,
trending on twitter, trending on tumblr, trending on unsplash, trending on 500px, trending on polycount, trending on imgur,
trending on cgstation, popular on artstation, popular on deviantart, featured on artstation, featured on behance, featured on deviantart,
featured on flickr, featured on pixiv, featured on unsplash, featured on 500px, feature on artstation, artstation, art station,
artstation hq, artstation contest winner, artstation hd, artstation trending, artstation trends, artstation winner, behance,
behance hd, behance contest winner, cgsociety, cg society, cgsociety contest winner, contest winner, deviantart, deviantart hd,
deviantart contest winner, deviantart featured, pixiv, pixiv contest winner, pixiv trending, pinterest, dribbble, flickr,
flickr contest winner, reddit contest winner, shutterstock contest winner, shutterstock, unsplash, unsplash contest winner,
500px, polycount, polycount contest winner, zbrush central, zbrush central contest winner, cg contest winner, photo contest winner,
wins award, winning award, pulitzer prize winning, prize winning, national geographic award, photo of the year, photograph of the year,
picture of the year, editors choice, staff pick, viral, popular, famous, critically acclaimed, acclaimed, hot on artstation
"""
_RENDERERS = """
arnold render, rendered in arnold, blender render, rendered in blender, c4d render, cinema 4d render, corona render, cryengine,
rendered in cryengine, cycles render, blender cycles, global illumination, keyshot render, lumen, lumen render, lumen reflections,
nvidia ray tracing, octane, octane render, octane renderer, octane rendering, octane rendered, octane 3d, rendered in octane,
rendered by octane, render in octane, made in octane, ray traced, ray traced reflections, ray tracing, raytraced, raytracing,
ray tracing reflections, path tracing, redshift, redshift render, rendered in redshift, render, rendered, 3d rendered quality,
unity engine, unity render, unreal, unreal engine, unreal engine render, unreal engine rendering, unreal engine 4, unreal engine 4 render,
unreal engine 5, unreal engine 5 render, unreal engine quality, rendered in unreal engine, rendered in unreal engine 4,
rendered in unreal engine 5, rendered with unreal engine, made in unreal engine, made in unreal engine 5, unreal 4, unreal 5, unreal render,
ue4, ue5, unreal engine 5 quality, vray, v ray, vray render, v ray render, vray tracing, rendered in vray, physically based rendering, pbr,
physically based render, high quality rendering, high poly, subsurface scattering, sub surface scattering, screen space reflections,
anti aliasing, post processing, photo realistic render, hyper realistic render
"""
FUNCTION_PHRASES: frozenset[tuple[str, ...]] = frozenset(
    tuple(phrase.split())
    for block in (_QUALITY, _DETAIL, _RESOLUTION, _PRAISE, _RENDERERS)
    for phrase in " ".join(block.split()).split(", ")
)
"""The phrases as words."""

ONLY_ALONE = frozenset(
    tuple(phrase.split())
    for phrase in (
        "breathtaking, clean, clear, crisp, detailed, famous, flawless, high end, intricate, lumen, octane, perfect, perfection, "
        "pinterest, "
        "popular, premium, professional, redshift, render, rendered, retina, sharp, smooth, stunning, superb, trending, unreal, viral, "
        "wallpaper, acclaimed, jaw dropping, mind blowing, world class, deviantart, flickr, behance, dribbble, shutterstock, "
        "unsplash, "
        "polycount, pixiv, really good, very good, in focus, unity engine, megapixel, gigapixel, imax, global illumination, award winning, "
        "award winner, prize winning"
    ).split(", ")
)
"""Those that say something of what is to be seen where other words stand beside them, as in "a sharp knife": they must be a whole part."""
