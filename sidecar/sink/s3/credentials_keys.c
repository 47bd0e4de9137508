// SPDX-License-Identifier: MIT
/* credentials_keys.c - see credentials_keys.h. A snapshot is one piece of memory, so that one call wipes all of it. */
#include "sink/s3/credentials_keys.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "base/refcount.h"

#include <string.h>

struct held {
	struct refcount refs;
	size_t size;
	struct s3_keys keys;
	char text[]; /* access, secret and token, a NUL behind each */
};

/* Only visible ASCII may be in them, because they go into header lines and between the slashes of a scope. */
static bool
is_fine(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] <= 0x20 || s.data[i] >= 0x7f)
			return false;
	return s.len <= S3_KEY_MAX;
}

const char *
s3_keys_fault(const struct s3_keys_parts *parts)
{
	if (parts->access.len == 0)
		return "there is no access key";
	if (parts->secret.len == 0)
		return "there is an access key without its secret";
	if (!is_fine(parts->access))
		return "the access key holds a byte that none may hold, or is too long";
	if (!is_fine(parts->secret))
		return "the secret key holds a byte that none may hold, or is too long";
	if (!is_fine(parts->token))
		return "the session token holds a byte that none may hold, or is too long";
	return NULL;
}

static const char *
put(char **at, struct str s)
{
	char *text = *at;

	memcpy(text, s.data, s.len);
	text[s.len] = '\0';
	*at += s.len + 1;
	return text;
}

struct s3_keys *
s3_keys_new(const struct s3_keys_parts *parts, struct error *err)
{
	const char *fault = s3_keys_fault(parts);
	size_t size = sizeof(struct held) + parts->access.len + parts->secret.len + parts->token.len + 3;
	struct held *held;
	char *at;

	if (fault != NULL) {
		error_set(err, ERR_UPSTREAM, "%s", fault);
		return NULL;
	}
	held = mem_zalloc(size);
	if (held == NULL) {
		error_nomem(err);
		return NULL;
	}
	refcount_init(&held->refs);
	held->size = size;
	at = held->text;
	held->keys = (struct s3_keys){ .obtained_s = parts->obtained_s, .expires_s = parts->expires_s };
	held->keys.access = put(&at, parts->access);
	held->keys.secret = put(&at, parts->secret);
	held->keys.token = parts->token.len > 0 ? put(&at, parts->token) : NULL;
	return &held->keys;
}

struct s3_keys *
s3_keys_acquire(struct s3_keys *keys)
{
	refcount_acquire(&container_of(keys, struct held, keys)->refs);
	return keys;
}

void
s3_keys_release(struct s3_keys *keys)
{
	struct held *held;

	if (keys == NULL)
		return;
	held = container_of(keys, struct held, keys);
	if (!refcount_release(&held->refs))
		return;
	explicit_bzero(held, held->size);
	mem_free(held);
}

void
s3_keys_free_text(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	mem_free(text);
}
