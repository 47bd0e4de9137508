// SPDX-License-Identifier: MIT
/* record.h - pure: what is in a state file, which tells of commits that span more than one object, or of which an application
 * is told.
 *
 *   FORMAT, then records: length (8 hex digits) ' ' CRC-32 of the payload (8 hex digits) ' ' payload '\n'
 *
 * A payload is fields with a NUL behind each (no value of a field holds one):
 *
 *   "I" id, then for each object: destination, place, target, way    an intent: these are about to become visible; way is a
 *                                                                    letter, behind it the id of its upload, if it has one
 *   "J" id, then destination, route, request id, when, failed,       the same of a form that an application is asked about; when
 *       resolve, then for each object as above                       is "h" or "c"; resolve may be ""
 *   "A" id                                                           the application is being asked: it may believe in the form
 *   "F" id                                                           the form does not stand; the application is to be told so
 *   "G" id                                                           nothing of it is left: its objects have been taken back
 *   "T" id                                                           the form does not stand; the application knows
 *   "D" id                                                           done: all objects are there, or none, for ever
 *
 * Version 1 had "I" and "D" alone, and is still read.
 *
 * A record counts if it is whole. One that is not was cut short by a crash, before anybody was told that it is on disk. Whole
 * records behind it count all the same: records that wait are written together, and a disk may have kept the second half alone.
 *
 * An id is a UUID of ours. Nothing in a record is secret: of what a client has sent only what the object's name holds. */
#ifndef PENSTOCK_RECORD_H
#define PENSTOCK_RECORD_H

#include "base/str.h"
#include "base/uuid.h"

#define RECORD_FORMAT "penstock-state 2\n"
#define RECORD_FORMAT_1 "penstock-state 1\n" /* as long */

/* How an object is taken back by a later process. */
#define RECORD_BACK_FOLDER 'f' /* by a journal in its folder, which says the same id */
#define RECORD_BACK_ASK 'a'    /* its destination is asked to remove it: the name is surely ours */
#define RECORD_BACK_TELL 't'   /* the name may be somebody else's: it is not touched, only logged */
#define RECORD_BACK_UPLOAD 'u' /* only its upload is to be ended, whatever became of the object */

struct record_object {
	const char *destination; /* its name in the route file */
	const char *at;          /* where that really is: struct destination.at */
	const char *target;      /* order.target */
	char back;               /* RECORD_BACK_... */
	const char *upload;      /* order.upload; NULL: none */
};

#define RECORD_HELD 'h'      /* the application is asked before anything is visible */
#define RECORD_COMMITTED 'c' /* when everything is */

/* Whom to tell of a form. */
struct record_app {
	const char *destination; /* its name in the route file */
	const char *route;       /* id of the route, whose keys sign */
	const char *request_id;  /* by which the application knows the form */
	const char *failed;      /* target at which it is told that the form does not stand */
	const char *resolve;     /* target at which it is asked whether it does; NULL: none */
	char when;               /* RECORD_HELD or RECORD_COMMITTED */
};

enum record_kind {
	RECORD_INTENT = 'I',
	RECORD_DONE = 'D',
	RECORD_ASKED = 'A',
	RECORD_OWED = 'F',
	RECORD_GONE = 'G',
	RECORD_TOLD = 'T'
};

struct record {
	enum record_kind kind;
	const char *id;
	bool has_app;          /* an intent of which an application is told */
	struct record_app app; /* if has_app */
	struct str objects;    /* of an intent, for record_next_object() */
};

/* The payload of an intent; then its objects. `app`: NULL, or who is told. */
void record_begin(struct buf *payload, const char *id, const struct record_app *app);
void record_add(struct buf *payload, const struct record_object *object);

/* Appends a whole record: that of a payload, or one that says something of an intent. */
void record_write(struct buf *out, struct str payload);
void record_write_note(struct buf *out, enum record_kind kind, const char *id);

enum record_found {
	RECORD_FOUND, /* *record points into the text */
	RECORD_TORN,  /* something that is no record; *rest is at the next one */
	RECORD_END,
};

/* What comes next in *rest, which is moved behind it. */
enum record_found record_next(struct str *rest, struct record *record);

/* Of one payload. False: it is none of ours. */
bool record_read(struct str payload, struct record *record);

/* False: there is none, or it makes no sense. */
bool record_next_object(struct str *objects, struct record_object *object);

#endif
