// SPDX-License-Identifier: MIT
/* detector.c - see detector.h. */
#include "stage/detector.h"

#include "base/mem.h"

#include <magic.h>

/* Only the type is wanted, and not what else an ELF file says, or what is inside of a compressed file. So the code that reads these
 * is not run. */
#define FLAGS (MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_ELF)

/* Bytes in which one of libmagic's regular expressions may search. With its default of 8192 the time for text grows with the square
 * of its length: 8 KiB of line feeds took 155 ms; with this limit they take 10 ms. */
#define REGEX_BYTES 512

struct detector {
	magic_t handle;
};

static bool
load(magic_t handle)
{
	size_t regex_bytes = REGEX_BYTES;

	return magic_load(handle, NULL) == 0 && magic_setparam(handle, MAGIC_PARAM_REGEX_MAX, &regex_bytes) == 0;
}

struct detector *
detector_new(struct error *err)
{
	struct detector *detector = mem_zalloc(sizeof *detector);

	if (detector == NULL || (detector->handle = magic_open(FLAGS)) == NULL) {
		error_nomem(err);
		goto fail;
	}
	if (load(detector->handle))
		return detector;
	error_set(err, ERR_SYSTEM, "libmagic cannot read its database %s: %s", magic_getpath(NULL, 0),
		magic_error(detector->handle));
fail:
	detector_free(detector);
	return NULL;
}

void
detector_free(struct detector *detector)
{
	if (detector == NULL)
		return;
	if (detector->handle != NULL)
		magic_close(detector->handle);
	mem_free(detector);
}

const char *
detector_type(struct detector *detector, struct str first, struct error *err)
{
	const char *type = magic_buffer(detector->handle, first.data != NULL ? first.data : "", first.len);

	if (type == NULL)
		error_set(err, ERR_INTERNAL, "libmagic cannot say what it is: %s", magic_error(detector->handle));
	return type;
}

int
detector_library_version(void)
{
	return magic_version();
}
