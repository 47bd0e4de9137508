// SPDX-License-Identifier: MIT
/* stages.c - see stages.h. A stage that no rule of the form's parts wants costs a call for each part, and no memory. */
#include "stage/stages.h"

#include "base/mem.h"

#define STAGE(name) extern const struct stage name##_stage;
#include "stage/stages.def"
#undef STAGE

#define STAGE(name) &name##_stage,
static const struct stage *const all[] = {
#include "stage/stages.def"
};

#define N_STAGES (sizeof all / sizeof all[0])

struct stages {
	const struct stage_tools *tools;
	struct stage_part part;
	void *state[N_STAGES];   /* NULL: it has not begun for any part */
	size_t active[N_STAGES]; /* those of the current part */
	size_t n_active;
};

struct stages *
stages_new(const struct stage_tools *tools)
{
	struct stages *stages = mem_zalloc(sizeof *stages);

	if (stages != NULL)
		stages->tools = tools;
	return stages;
}

void
stages_free(struct stages *stages)
{
	if (stages == NULL)
		return;
	for (size_t i = 0; i < N_STAGES; i++) {
		if (stages->state[i] != NULL && all[i]->drop != NULL)
			all[i]->drop(stages->state[i]);
		mem_free(stages->state[i]);
	}
	mem_free(stages);
}

static bool
begin_one(struct stages *stages, size_t i, struct error *err)
{
	if (all[i]->size > 0 && stages->state[i] == NULL && (stages->state[i] = mem_zalloc(all[i]->size)) == NULL)
		return error_nomem(err);
	stages->active[stages->n_active++] = i;
	return all[i]->begin == NULL || all[i]->begin(stages->state[i], &stages->part, err);
}

bool
stages_begin(struct stages *stages, const struct stage_part *part, struct error *err)
{
	stages->part = *part;
	stages->part.tools = stages->tools;
	stages->n_active = 0;
	for (size_t i = 0; i < N_STAGES; i++)
		if ((all[i]->wanted == NULL || all[i]->wanted(part->rule)) && !begin_one(stages, i, err))
			return false;
	return true;
}

bool
stages_look(struct stages *stages, const char *data, size_t len, struct error *err)
{
	for (size_t n = 0; n < stages->n_active; n++) {
		size_t i = stages->active[n];

		if (all[i]->look != NULL && !all[i]->look(stages->state[i], &stages->part, data, len, err))
			return false;
	}
	stages->part.size += len;
	return true;
}

bool
stages_hold(const struct rule *rule)
{
	for (size_t i = 0; i < N_STAGES; i++)
		if (all[i]->holds != NULL && all[i]->holds(rule))
			return true;
	return false;
}

bool
stages_judge(struct stages *stages, struct str first, struct error *err)
{
	for (size_t n = 0; n < stages->n_active; n++) {
		size_t i = stages->active[n];

		if (all[i]->judge != NULL && all[i]->holds(stages->part.rule) &&
			!all[i]->judge(stages->state[i], &stages->part, first, err))
			return false;
	}
	return true;
}

bool
stages_end(struct stages *stages, struct error *err)
{
	for (size_t n = 0; n < stages->n_active; n++) {
		size_t i = stages->active[n];

		if (all[i]->end != NULL && !all[i]->end(stages->state[i], &stages->part, err))
			return false;
	}
	return true;
}
