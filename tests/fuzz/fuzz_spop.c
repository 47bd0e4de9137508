// SPDX-License-Identifier: MIT
/* fuzz_spop.c - any bytes as a frame, as pairs, as messages, as a question to the agent: views stay inside, reading
 * goes on or ends, and an answer always fits and always says whether it allows. */
#include "base/must.h"
#include "config/load.h"
#include "spoa/admit.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char routes[] =
	"version: 1\n"
	"routes:\n"
	"  - { id: a, match: { path: \"/a/*\" }, limits: { body: 10B }, fields: [ { name: x, drop: true } ] }\n"
	"  - { id: b, match: { path: \"/**\", method: [PUT] }, fields: [ { name: x, drop: true } ] }\n";

static void
check_inside(struct str outer, struct str inner)
{
	must(inner.data == NULL || (inner.data >= outer.data && inner.data + inner.len <= outer.data + outer.len));
}

static void
try_pairs(struct str all)
{
	struct str rest = all, key;
	struct spop_value value;
	size_t before = rest.len + 1;

	while (rest.len > 0 && spop_read_pair(&rest, &key, &value)) {
		must(rest.len < before);
		before = rest.len;
		check_inside(all, key);
		check_inside(all, value.bytes);
	}
}

static void
try_messages(struct str all)
{
	struct str rest = all, name, key;
	struct spop_value value;
	size_t before = rest.len;
	unsigned n;

	while (rest.len > 0 && spop_read_message(&rest, &name, &n)) {
		must(rest.len < before && n <= 255);
		check_inside(all, name);
		for (; n > 0 && spop_read_pair(&rest, &key, &value); n--) {
			check_inside(all, key);
			check_inside(all, value.bytes);
		}
		check_inside(all, rest);
		if (n > 0)
			return;
		before = rest.len;
	}
}

static void
try_string(struct str all)
{
	static unsigned char out[8192];
	struct spop_writer w = { .data = out, .cap = sizeof out };
	struct str string, back, again;

	if (!spop_read_string(&all, &string) || string.len > sizeof out / 2)
		return;
	spop_write_string(&w, string);
	back = (struct str){ (const char *)out, w.len };
	must(!w.failed && spop_read_string(&back, &again) && str_equal(again, string) && back.len == 0);
}

static void
try_varint(struct str all)
{
	unsigned char out[16];
	struct spop_writer w = { .data = out, .cap = sizeof out };
	struct str back;
	uint64_t value, again;

	if (!spop_read_varint(&all, &value))
		return;
	spop_write_varint(&w, value);
	back = (struct str){ (const char *)out, w.len };
	must(!w.failed && spop_read_varint(&back, &again) && again == value && back.len == 0);
}

static void
try_question(const struct config *config, struct str payload)
{
	unsigned char out[ADMIT_ACK_MAX];
	struct load idle = { 0 };
	struct admit admit;
	struct spop_frame frame;
	size_t n;

	admit_notify(config, &idle, payload, &admit);
	must(admit.decision.allow == (admit.status == 200));
	must(admit.decision.allow != error_is_set(&admit.decision.error));
	n = admit_ack(&admit, UINT64_MAX, UINT64_MAX, out);
	must(n > SPOP_LENGTH_SIZE && spop_read_length(out) == n - SPOP_LENGTH_SIZE);
	must(spop_read_frame((struct str){ (const char *)out + SPOP_LENGTH_SIZE, n - SPOP_LENGTH_SIZE }, &frame));
	must(frame.type == SPOP_ACK && frame.stream_id == UINT64_MAX && frame.payload.len > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config *config;
	struct str all = { (const char *)data, size };
	struct findings findings = { 0 };
	struct spop_frame frame;

	if (config == NULL)
		config = config_load_text("fuzz.yaml", str_of(routes), &findings);
	must(config != NULL);
	findings_free(&findings);
	if (spop_read_frame(all, &frame)) {
		check_inside(all, frame.payload);
		try_pairs(frame.payload);
		try_messages(frame.payload);
	}
	try_varint(all);
	try_string(all);
	try_messages(all);
	try_pairs(all);
	try_question(config, all);
	return 0;
}
