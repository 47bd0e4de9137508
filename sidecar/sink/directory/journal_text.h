// SPDX-License-Identifier: MIT
/* journal_text.h - what is in a journal's file: fields with a NUL behind each (no name holds one).
 *
 *   FORMAT, id of the folder, id of the journal's own file, then for each file: id, temporary name, target; END
 *   FORMAT_OF, id of the commit (state/state.h), then the same
 *
 * Without END it counts for nothing. The id of an entry begins with OPEN, which becomes SETTLED in place. */
#ifndef PENSTOCK_JOURNAL_TEXT_H
#define PENSTOCK_JOURNAL_TEXT_H

#define JOURNAL_FORMAT "penstock-journal 2"
#define JOURNAL_FORMAT_OF "penstock-journal 3"
#define JOURNAL_END "end"
#define JOURNAL_OPEN '+'
#define JOURNAL_SETTLED '-'

#endif
