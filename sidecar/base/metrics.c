// SPDX-License-Identifier: MIT
/* metrics.c - see metrics.h. */
#include "base/metrics.h"

#include "base/must.h"

#include <inttypes.h>
#include <string.h>

static const struct {
	const char *name, *labels, *help;
} rows[] = {
#define METRIC(enumerator, name, labels, help) { name, labels, help },
#include "base/metrics.def"
#undef METRIC
};

void
metrics_add(struct metrics *metrics, enum metric metric, uint64_t n)
{
	if (metrics != NULL)
		counter_add(&metrics->n[metric], (size_t)n);
}

static enum metric
class_of(unsigned status)
{
	if (status >= 200 && status < 300)
		return METRIC_REQUESTS_2XX;
	if (status >= 400 && status < 500)
		return METRIC_REQUESTS_4XX;
	return status >= 500 && status < 600 ? METRIC_REQUESTS_5XX : METRIC_REQUESTS_OTHER;
}

void
metrics_request(struct metrics *metrics, unsigned status, enum error_kind error)
{
	must(error < ERROR_KINDS);
	if (metrics == NULL)
		return;
	counter_add(&metrics->n[class_of(status)], 1);
	if (error != ERR_NONE)
		counter_add(&metrics->errors[error], 1);
}

void
metrics_write_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void
metrics_write_labelled(
	struct buf *out, const char *name, const struct metrics_label *labels, size_t n_labels, uint64_t n)
{
	buf_add_text(out, name);
	for (size_t i = 0; i < n_labels; i++)
		buf_addf(out, "%s%s=\"%s\"", i == 0 ? "{" : ",", labels[i].name, labels[i].value);
	buf_addf(out, "%s %" PRIu64 "\n", n_labels > 0 ? "}" : "", n);
}

void
metrics_write_sample(struct buf *out, const char *name, const char *label, const char *value, uint64_t n)
{
	const struct metrics_label one = { label, value };

	metrics_write_labelled(out, name, &one, label != NULL, n);
}

static void
write_errors(const struct metrics *metrics, struct buf *out)
{
	static const char name[] = "penstock_request_errors_total";

	metrics_write_head(
		out, name, "counter", "Requests that ended with an error, by its kind as the log names it.");
	for (int kind = ERR_NONE + 1; kind < ERROR_KINDS; kind++)
		metrics_write_sample(out, name, "error", error_kind_name((enum error_kind)kind),
			counter_read(&metrics->errors[kind]));
}

void
metrics_write(const struct metrics *metrics, struct buf *out)
{
	for (size_t i = 0; i < N_METRICS; i++) {
		if (i == 0 || strcmp(rows[i].name, rows[i - 1].name) != 0)
			metrics_write_head(out, rows[i].name, "counter", rows[i].help);
		buf_add_text(out, rows[i].name);
		if (rows[i].labels != NULL)
			buf_addf(out, "{%s}", rows[i].labels);
		buf_addf(out, " %zu\n", counter_read(&metrics->n[i]));
	}
	write_errors(metrics, out);
}
