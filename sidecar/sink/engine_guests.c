// SPDX-License-Identifier: MIT
/* engine_guests.c - see engine.h: transfers that outlive their orders. */
#include "sink/engine.h"

void
engine_add_guest(struct engine *engine, struct engine_guest *guest)
{
	guest->next = engine->guests;
	engine->guests = guest;
	engine->n_guests++;
}

void
engine_remove_guest(struct engine *engine, struct engine_guest *guest)
{
	struct engine_guest **at = &engine->guests;

	while (*at != guest)
		at = &(*at)->next;
	*at = guest->next;
	engine->n_guests--;
}

void
engine_cut_guests(struct engine *engine, uint64_t by_ms)
{
	struct engine_guest *next;

	engine->cut_ms = by_ms;
	for (struct engine_guest *guest = engine->guests; guest != NULL; guest = next) {
		next = guest->next;
		guest->cut(guest);
	}
}
