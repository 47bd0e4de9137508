// SPDX-License-Identifier: MIT
/* test_app_sign.c - Penstock-Signature is what sink/app/sign.h says, byte for byte. Each v1 was made by Python:
 *
 *   hmac.new(key, "\n".join([purpose, str(t), method, target, request_id, hashlib.sha256(body).hexdigest()]).encode(),
 *            hashlib.sha256).hexdigest()
 */
#include "sink/app/sign.h"

#include "lib/check.h"

#include <stdlib.h>

#define K20 "kkkkkkkkkkkkkkkkkkkk"

static const struct vector {
	const char *key;
	struct app_signed what;
	const char *v1;
} vectors[] = {
	{ "key", { "authorize", 1700000000, "GET", { "/uploads/authorize", 18 }, "0f3c", { NULL, 0 } },
		"3d6cfc17cf33ff08f3aa8514c7468ef1ad6f59cb57c7a3b576f650f69013d37b" },
	{ "key",
		{ "form", 1700000000, "POST", { "/albums/x/photos?a=1&b=%20", 26 }, "0f3c",
			{ "title=Sea&photo=%7B%7D", 22 } },
		"73f595df552a2095b1be422f6318d35dab34975a42c68d6106d893a5f6a1d3ba" },
	{ "other",
		{ "form", 1700000000, "POST", { "/albums/x/photos?a=1&b=%20", 26 }, "0f3c",
			{ "title=Sea&photo=%7B%7D", 22 } },
		"d9df25d6187a5931672344425858b2778a1a43326068469bb394b3961165ba77" },
	{ K20 K20 K20 K20 K20, { "failed", 1, "POST", { "/", 1 }, "x", { "\0\n", 2 } },
		"c3e02d4b8c2b8123734cae6bd9f569878a60219d425a44e0afe68dc7e3cf86a4" },
	{ "key", { "resolve", 253402300799, "GET", { "/r?id=1", 7 }, "x", { "", 0 } },
		"0eaf3d426272b2a1d3d3a7be0beda70c0ae1f9e37cb8562d04ccbf988e09c261" },
};

static char *
copy(const char *text)
{
	return str_dup(str_of(text));
}

static void
each_vector_is_signed_as_python_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		const struct vector *v = &vectors[i];
		struct sign sign = { .keys = { copy(v->key) } };
		struct buf out = { 0 }, want = { 0 };
		struct error err = { 0 };

		assert_true(app_sign(&sign, &v->what, &out, &err));
		buf_addf(&want, "t=%lld,p=%s,v1=%s", (long long)v->what.now_s, v->what.purpose, v->v1);
		assert_string_equal(out.data, want.data);
		buf_free(&out);
		buf_free(&want);
		free(sign.keys[0]);
	}
}

static void
two_keys_give_two_signatures(void **state)
{
	struct sign sign = { .keys = { copy("key"), copy("other") } };
	struct buf out = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_true(app_sign(&sign, &vectors[1].what, &out, &err));
	assert_string_equal(out.data,
		"t=1700000000,p=form,v1=73f595df552a2095b1be422f6318d35dab34975a42c68d6106d893a5f6a1d3ba,"
		"v1=d9df25d6187a5931672344425858b2778a1a43326068469bb394b3961165ba77");
	buf_free(&out);
	free(sign.keys[0]);
	free(sign.keys[1]);
}

/* Whatever is changed changes the signature, and nothing can be moved from one field to the next: no field but the body may hold a
 * line end, and of that only the hash is signed. */
static void
each_field_counts(void **state)
{
	struct sign sign = { .keys = { copy("key") } };
	struct app_signed changed[6];
	struct buf first = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_true(app_sign(&sign, &vectors[1].what, &first, &err));
	for (size_t i = 0; i < 6; i++)
		changed[i] = vectors[1].what;
	changed[0].purpose = "authorize";
	changed[1].now_s++;
	changed[2].method = "PUT";
	changed[3].target.len--;
	changed[4].request_id = "0f3d";
	changed[5].body.len--;
	for (size_t i = 0; i < 6; i++) {
		struct buf out = { 0 };

		assert_true(app_sign(&sign, &changed[i], &out, &err));
		assert_string_not_equal(strstr(out.data, "v1="), strstr(first.data, "v1="));
		buf_free(&out);
	}
	buf_free(&first);
	free(sign.keys[0]);
}

static void
without_a_key_there_is_no_signature(void **state)
{
	struct sign none = { .is_none = true };

	(void)state;
	assert_false(app_has_key(NULL));
	assert_false(app_has_key(&none));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_vector_is_signed_as_python_does),
		cmocka_unit_test(two_keys_give_two_signatures),
		cmocka_unit_test(each_field_counts),
		cmocka_unit_test(without_a_key_there_is_no_signature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
