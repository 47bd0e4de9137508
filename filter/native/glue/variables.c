// SPDX-License-Identifier: MIT
/* variables.c - see glue.h. */
#include "native/glue/glue.h"

#include <haproxy/sample.h>
#include <haproxy/vars.h>

#include <string.h>

static void
set(struct stream *s, const char *name, struct sample *sample)
{
	smp_set_owner(sample, s->be, s->sess, s, SMP_OPT_DIR_REQ | SMP_OPT_FINAL);
	vars_set_by_name_ifexist(name, strlen(name), sample);
}

static void
set_bool(struct stream *s, const char *name, int value)
{
	struct sample sample = { .data = { .type = SMP_T_BOOL } };

	sample.data.u.sint = value;
	set(s, name, &sample);
}

/* HAProxy's numbers have a sign. */
static void
set_number(struct stream *s, const char *name, unsigned long long value)
{
	struct sample sample = { .data = { .type = SMP_T_SINT } };

	sample.data.u.sint = value > LLONG_MAX ? LLONG_MAX : (long long)value;
	set(s, name, &sample);
}

/* HAProxy copies it. */
static void
set_text(struct stream *s, const char *name, const char *value)
{
	struct sample sample = { .flags = SMP_F_CONST, .data = { .type = SMP_T_STR } };

	sample.data.u.str.area = (char *)value;
	sample.data.u.str.data = strlen(value);
	set(s, name, &sample);
}

void
variables_set(struct stream *s, const struct core_verdict *verdict)
{
	set_bool(s, "txn.upload.allow", verdict->allow);
	set_number(s, "txn.upload.status", verdict->status);
	set_text(s, "txn.upload.reason", verdict->reason);
	set_text(s, "txn.upload.route", verdict->route);
	if (verdict->limit[0] != '\0')
		set_text(s, "txn.upload.limit", verdict->limit);
	if (verdict->has_max_body)
		set_number(s, "txn.upload.max_body", verdict->max_body);
	set_number(s, "txn.upload.retry_after", verdict->retry_after);
	set_text(s, "txn.upload.id", verdict->id);
}

int
variables_pass(struct stream *s)
{
	static const char name[] = "txn.upload.pass";
	struct sample sample = { 0 };

	smp_set_owner(&sample, s->be, s->sess, s, SMP_OPT_DIR_REQ | SMP_OPT_FINAL);
	return vars_get_by_name(name, sizeof name - 1, &sample, NULL) && sample.data.type == SMP_T_BOOL &&
		sample.data.u.sint;
}

void
variables_set_bugs(unsigned long long n)
{
	static const char name[] = "proc.upload.bugs";
	struct sample sample = { .data = { .type = SMP_T_SINT } };

	sample.data.u.sint = (long long)n;
	vars_set_by_name(name, sizeof name - 1, &sample);
}
