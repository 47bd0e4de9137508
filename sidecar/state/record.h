// SPDX-License-Identifier: MIT
/* record.h - pure: what is in a state file, which tells of commits that span more than one object.
 *
 *   FORMAT, then records: length (8 hex digits) ' ' CRC-32 of the payload (8 hex digits) ' ' payload '\n'
 *
 * A payload is fields with a NUL behind each (no value of a field holds one):
 *
 *   "I" id, then for each object: destination, place, target, way    an intent: these are about to become visible; way is a
 *                                                                    letter, behind it the id of its upload, if it has one
 *   "D" id                                                           done: all of them are, or none, for ever
 *
 * A record counts if it is whole. One that is not was cut short by a crash, before anybody was told that it is on disk. Whole
 * records behind it count all the same: records that wait are written together, and a disk may have kept the second half alone.
 *
 * An id is a UUID of ours. Nothing in a record is secret: of what a client has sent only what the object's name holds. */
#ifndef PENSTOCK_RECORD_H
#define PENSTOCK_RECORD_H

#include "base/str.h"
#include "base/uuid.h"

#define RECORD_FORMAT "penstock-state 1\n"

/* How an object is taken back by a later process. */
#define RECORD_BACK_FOLDER 'f' /* by a journal in its folder, which says the same id */
#define RECORD_BACK_ASK 'a'    /* its destination is asked to remove it: the name is surely ours */
#define RECORD_BACK_TELL 't'   /* the name may be somebody else's: it is not touched, only logged */
#define RECORD_BACK_UPLOAD 'u' /* there is no object and will be none: only its upload is to be ended */

struct record_object {
	const char *destination; /* its name in the route file */
	const char *at;          /* where that really is: struct destination.at */
	const char *target;      /* order.target */
	char back;               /* RECORD_BACK_... */
	const char *upload;      /* order.upload; NULL: none */
};

enum record_kind { RECORD_INTENT = 'I', RECORD_DONE = 'D' };

struct record {
	enum record_kind kind;
	const char *id;
	struct str objects; /* of an intent, for record_next_object() */
};

/* The payload of an intent; then its objects. */
void record_begin(struct buf *payload, const char *id);
void record_add(struct buf *payload, const struct record_object *object);

/* Appends a whole record. */
void record_write(struct buf *out, struct str payload);
void record_write_done(struct buf *out, const char *id);

enum record_found {
	RECORD_FOUND, /* *record points into the text */
	RECORD_TORN,  /* something that is no record; *rest is at the next one */
	RECORD_END,
};

/* What comes next in *rest, which is moved behind it. */
enum record_found record_next(struct str *rest, struct record *record);

/* False: there is none, or it makes no sense. */
bool record_next_object(struct str *objects, struct record_object *object);

#endif
