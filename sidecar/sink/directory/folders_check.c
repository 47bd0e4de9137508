// SPDX-License-Identifier: MIT
/* folders_check.c - folders_check() of folders.h, for `penstock check`. */
#include "sink/directory/folders.h"
#include "sink/directory/settings.h"

#include <fcntl.h>
#include <unistd.h>

static unsigned
say_lacks(const struct destination *to, const struct abilities *can, struct buf *out)
{
	const char *lack;
	bool is_fatal;
	unsigned n = 0;

	while ((lack = abilities_lack(can, directory_settings(to)->exists, n, &is_fatal)) != NULL) {
		buf_addf(out, "warning: destination \"%s\": %s%s\n", to->name, lack,
			is_fatal ? "; run would refuse to start" : "");
		n++;
	}
	return n;
}

unsigned
folders_check(const struct config *config, struct buf *out)
{
	unsigned n = 0;

	for (size_t i = 0; i < config->n_destinations; i++) {
		const struct destination *to = &config->destinations[i];
		struct abilities can;
		int fd;

		if (to->kind != &directory_kind)
			continue;
		fd = open(directory_settings(to)->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (abilities_find(fd, &can) == 0)
			n += say_lacks(to, &can, out);
		close(fd);
	}
	return n;
}
