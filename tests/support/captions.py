"""Captions of small pictures in a browser: whether they can be read."""

from __future__ import annotations


def cut_captions(page):
    """How many captions a page shows, and those of which a part is cut off."""
    told = page.evaluate(
        """() => [...document.querySelectorAll(".imagereward-grid .imagereward-thumb[data-id]")].map((thumb) => {
            const caption = thumb.querySelector(".imagereward-caption");
            const words = document.createRange();
            words.selectNodeContents(caption);
            const [seen, all] = [caption.getBoundingClientRect(), words.getBoundingClientRect()];
            const isCut = all.right > seen.right + 0.5 || all.top < seen.top - 0.5 || all.bottom > seen.bottom + 0.5;
            return [caption.textContent, isCut || seen.top < thumb.getBoundingClientRect().top];
        })"""
    )
    return len(told), [text for text, is_cut in told if is_cut]
