    "gate_top_level": ("extra/a.txt", "x\n"),
    "gate_links_of_pages": ("docker/a.md", "# A\n\n[gone](b.md)\n"),
    "gate_files_named_on_pages": ("docker/a.md", "Look at `form/gone.h`.\n"),
    "gate_files_named_in_comments": ("sidecar/part/a.c", HEAD + "int a; /* form/gone.h */\n"),
}
MORE_BAD = [  # further ways to be wrong
