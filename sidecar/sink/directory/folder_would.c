// SPDX-License-Identifier: MIT
/* folder_would.c - see folder_would.h. */
#include "sink/directory/folder_would.h"

#include "sink/directory/directory.h"
#include "sink/directory/settings.h"
#include "sink/would.h"

static struct would_step *
add(struct would *would, enum would_when when, const char *call, const char *folder, const char *name)
{
	struct would_step *step = would_add(would, when, call);

	buf_addf(&step->target, "%s/%s", folder, name);
	return step;
}

void
folder_would(const struct order *order, struct would *would)
{
	const struct directory_settings *to = directory_settings(order->to);
	bool refuses = to->exists == EXISTS_REFUSE;

	add(would, WOULD_BEFORE, "write", to->path, NEW_FILE_PREFIX "{uuid}")->bytes = order->length;
	add(would, WOULD_COMMIT, refuses ? "rename if nothing is there" : "rename over what is there", to->path,
		order->target);
	add(would, WOULD_CANCEL, "remove", to->path, NEW_FILE_PREFIX "{uuid}");
	add(would, WOULD_UNDO, refuses ? "remove" : "put back what it replaced, or remove", to->path,
		order->target);
}
