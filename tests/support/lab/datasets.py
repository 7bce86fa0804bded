"""Small data sets in the formats that others publish, with pictures in them."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

from PIL import Image


def png(color: str | tuple[int, int, int] = "red", size: tuple[int, int] = (4, 3)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, color).save(stream, "PNG")
    return stream.getvalue()


def write(path: Path, content: object) -> Path:
    """Writes bytes as they are, text as UTF-8, anything else as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, bytes):
        content = (content if isinstance(content, str) else json.dumps(content)).encode()
    path.write_bytes(content)
    return path


def jsonl(path: Path, *rankings: object) -> Path:
    return write(path, "".join(json.dumps(each) + "\n" for each in rankings))


def records(shard: str, prompt_id: str, prompt: str, ranks: list[int]) -> list[dict]:
    """Records of ImageRewardDB for one prompt; pictures are called by prompt and place."""
    split = shard.partition("_")[0]
    return [
        {
            "image_path": f"images/{split}/{shard}/{prompt_id}-{place}.webp",
            "prompt_id": prompt_id,
            "prompt": prompt,
            "classification": "Animals",
            "image_amount_in_total": len(ranks),
            "rank": rank,
            "overall_rating": 8 - rank,
            "image_text_alignment_rating": 7,
            "fidelity_rating": 1,
        }
        for place, rank in enumerate(ranks)
    ]


def shard_folder(root: Path, shard: str, found: list[dict]) -> None:
    for record in found:
        write(root / record["image_path"], png())
    write(root / "images" / shard.partition("_")[0] / shard / f"{shard}.json", found)


def shard_zip(root: Path, shard: str, found: list[dict], *, nested: bool = False, told: bool = True) -> None:
    path = root / "images" / shard.partition("_")[0] / f"{shard}.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    inside = f"{shard}/" if nested else ""
    with zipfile.ZipFile(path, "w") as archive:
        for record in found:
            archive.writestr(f"{inside}{Path(record['image_path']).name}", png("blue"))
        if told:
            archive.writestr(f"{inside}{shard}.json", json.dumps(found))


def parquet(path: Path, rows: list[dict], row_group_size: int = 2) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=row_group_size)
    return path


def pick(caption: str, labels: tuple[float, float], uids: tuple[str, str], **more: object) -> dict:
    """A row of Pick-a-Pic."""
    return {
        "caption": caption,
        "label_0": labels[0],
        "label_1": labels[1],
        "jpg_0": png(uids[0]),
        "jpg_1": png(uids[1]),
        "image_0_uid": uids[0],
        "image_1_uid": uids[1],
        "has_label": True,
        "are_different": True,
        "user_id": 7,
        "ranking_id": 11,
        "model_0": "sd15",
        "model_1": "sdxl",
        **more,
    }
