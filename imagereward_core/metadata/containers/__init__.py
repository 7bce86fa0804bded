"""The texts in the bytes of PNG, JPEG, WebP, AVIF and TIFF files."""
