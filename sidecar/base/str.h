// SPDX-License-Identifier: MIT
/* str.h - a view of bytes with a length, a buffer that grows, and the small text helpers that several
 * rooms need. Nothing here knows of uploads.
 *
 * struct str borrows: it is valid as long as what it points into. struct buf owns its bytes, which are
 * always followed by a NUL (so buf.data is a C string where the content has no NUL of its own).
 */
#ifndef PENSTOCK_STR_H
#define PENSTOCK_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
	const char *data; /* not NUL-terminated; NULL: absent (differs from empty) */
	size_t len;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
#define STR_NONE ((struct str){ NULL, 0 })
/* for printf: "%.*s" */
#define STR_ARG(s) (int)(s).len, (s).data != NULL ? (s).data : ""

struct buf {
	char *data; /* NULL while empty and never grown */
	size_t len, cap;
	bool failed;    /* an allocation failed: the content is not whole; check once at the end */
	bool is_secret; /* what it outgrows is wiped; see secret.h for what it holds at its end */
};

struct str str_of(const char *c_string); /* NULL gives STR_NONE */
bool str_equal(struct str a, struct str b);
bool str_is(struct str a, const char *c_string);
bool str_equal_nocase(struct str a, struct str b); /* ASCII letters only, as HTTP tokens compare */
struct str str_trim(struct str s);                 /* SP and HTAB at both ends */
char *str_dup(struct str s);                       /* NUL-terminated copy; NULL: out of memory; caller frees */
char *str_dup_lower(struct str s);                 /* the same in lower case, as str_lower() */

/* Of an ASCII letter the small one. Not tolower(): that follows the locale, and what HTTP compares does not. */
static inline char
str_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Mostly the first byte says no. */
static inline bool
str_starts_nocase(struct str s, const char *prefix)
{
	for (size_t i = 0; prefix[i] != '\0'; i++)
		if (i == s.len || str_lower(s.data[i]) != str_lower(prefix[i]))
			return false;
	return true;
}

static inline size_t
str_count(struct str s, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.data[i] == c;
	return n;
}

/* Does s hold a control byte other than HTAB (RFC 9110 section 5.5)? */
bool str_has_control(struct str s);

/* tchar of RFC 9110 section 5.6.2: a bit for each letter, each digit and !#$%&'*+-.^_`|~ */
static inline bool
str_is_token_char(char c)
{
	static const uint64_t bits[4] = { UINT64_C(0x03ff6cfa00000000), UINT64_C(0x57ffffffc7fffffe), 0, 0 };
	unsigned char u = (unsigned char)c;

	return (bits[u / 64] >> u % 64 & 1) != 0;
}

bool str_is_token(struct str s); /* one or more of them */
int str_hex_value(char c);       /* 0 to 15; -1: not a hex digit */

/* Writes 2 * len lower-case hex digits and a NUL. */
void str_write_hex(char *out, const unsigned char *bytes, size_t len);

#define STR_U64_SIZE 21u /* the digits of the largest, and a NUL */

/* Writes n in decimal and a NUL; returns how many digits. printf would cost ten times as much. */
size_t str_write_u64(char out[STR_U64_SIZE], uint64_t n);

/* Whole string as an address of AF_INET or AF_INET6, without port or brackets, as inet_pton(3) writes it to `out`.
 * False: it is none. */
bool str_to_ip(struct str s, int family, void *out);

/* Whole string as a decimal number without sign. False: empty, not digits, or more than UINT64_MAX. */
bool str_to_u64(struct str s, uint64_t *out);

void buf_add(struct buf *b, const void *data, size_t len);
void buf_add_str(struct buf *b, struct str s);
void buf_add_text(struct buf *b, const char *c_string);
void buf_add_char(struct buf *b, char c);
void buf_add_u64(struct buf *b, uint64_t n); /* in decimal */

/* So many bytes more have room, and no more than that is allocated for them: adding them moves nothing. */
void buf_make_room(struct buf *b, size_t more);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct str buf_str(const struct buf *b);
void buf_clear(struct buf *b); /* keeps the memory */
void buf_free(struct buf *b);  /* back to the zeroed state */

/* Length of the well-formed UTF-8 sequence at the start of s (1..4), 0 if it is not one (RFC 3629:
 * no overlong forms, no surrogates, nothing above U+10FFFF). */
size_t utf8_length(struct str s);

/* s is not empty: does it begin with a C0 or C1 control (U+0080 to U+009F), which a terminal might obey? */
bool utf8_is_control(struct str s);

/* Appends s as UTF-8: each byte that does not belong to a well-formed sequence becomes U+FFFD. */
void buf_add_utf8(struct buf *b, struct str s);

/* Appends s as a string of JSON (RFC 8259 section 7), quotes included; what is not UTF-8 as buf_add_utf8() has it. */
void buf_add_json(struct buf *b, struct str s);

/* What follows the noun that n counts: "1 part", "2 parts". For every number that a sentence may hold as 1. */
#define PLURAL(n) ((n) == 1 ? "" : "s")

/* Glob with '*' (any run, also empty) and '?' (one byte); every other byte is itself. Linear in
 * pattern x text at the worst, no recursion. */
bool glob_match(struct str pattern, struct str text);

#endif
