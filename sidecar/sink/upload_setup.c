// SPDX-License-Identifier: MIT
/* upload_setup.c - libcurl's global set-up, for whoever makes transfers: see upload.h. */
#include "sink/spare_blocks.h"
#include "sink/upload.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

bool
upload_setup(struct error *err)
{
	if (spare_blocks_start() &&
		curl_global_init_mem(CURL_GLOBAL_ALL, spare_blocks_take, spare_blocks_give, spare_blocks_again,
			spare_blocks_text, spare_blocks_zeroed) == CURLE_OK)
		return true;
	return error_set(err, ERR_SYSTEM, "libcurl did not start");
}

void
upload_teardown(void)
{
	curl_global_cleanup();
}

const char *
upload_library_version(void)
{
	return curl_version();
}
