"""Asking people about pictures: what is asked, who answers, where the answers are kept (arXiv 2304.05977, 2.2 and Appendix B)."""
