"""What the page is sent."""

import html


def plaintext_to_html(text, classname=None):
    content = "<br>\n".join(html.escape(line) for line in text.split("\n"))
    return f"<p class='{classname}'>{content}</p>" if classname else f"<p>{content}</p>"
