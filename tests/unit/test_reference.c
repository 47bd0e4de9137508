// SPDX-License-Identifier: MIT
/* The reference in config/README.md is what the key table says. Run with PENSTOCK_WRITE=1 to write it anew. */
#include "config/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define README "config/README.md"
#define BEGIN "<!-- keys:begin -->\n"
#define END "<!-- keys:end -->\n"

static void
read_readme(struct buf *out)
{
	FILE *file = fopen(README, "rb");
	char piece[4096];
	size_t n;

	assert_non_null(file);
	while ((n = fread(piece, 1, sizeof piece, file)) > 0)
		buf_add(out, piece, n);
	fclose(file);
}

static void
write_readme(const struct buf *text, const char *begin, const char *end, const struct buf *reference)
{
	FILE *file = fopen(README, "wb");

	assert_non_null(file);
	fwrite(text->data, 1, (size_t)(begin - text->data), file);
	fwrite(reference->data, 1, reference->len, file);
	fwrite(end, 1, strlen(end), file);
	fclose(file);
}

static void
the_readme_holds_the_reference(void **state)
{
	struct buf text = { 0 }, reference = { 0 };
	const char *begin, *end;

	(void)state;
	read_readme(&text);
	config_reference(&reference);
	begin = strstr(text.data, BEGIN);
	end = strstr(text.data, END);
	assert_non_null(begin);
	assert_non_null(end);
	begin += strlen(BEGIN);
	if (getenv("PENSTOCK_WRITE") != NULL) {
		write_readme(&text, begin, end, &reference);
	} else {
		assert_int_equal(end - begin, reference.len);
		assert_memory_equal(begin, reference.data, reference.len);
	}
	buf_free(&text);
	buf_free(&reference);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_readme_holds_the_reference) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
