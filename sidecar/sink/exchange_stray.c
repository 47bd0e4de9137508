// SPDX-License-Identifier: MIT
/* exchange_stray.c - what a server has sent over a kept connection although nobody had asked: a 408 of one that is about to close it, or
 * content where none may be. It would be read as the answer to the next request, which gets a new connection instead.
 *
 * libcurl before 8.0 only looks whether the connection has been closed, and no libcurl looks for what TLS has decrypted: of an answer's last
 * record it takes what belongs to the answer, and the rest is in no socket any more. */
#include "sink/exchange_priv.h"

#include <openssl/ssl.h>

bool
exchange_is_kept(const struct exchange *x)
{
	long n_connects = 1;

	curl_easy_getinfo(x->easy, CURLINFO_NUM_CONNECTS, &n_connects);
	return n_connects == 0;
}

static bool
has_decrypted(const struct exchange *x)
{
	struct curl_tlssessioninfo *tls = NULL;

	return curl_easy_getinfo(x->easy, CURLINFO_TLS_SSL_PTR, &tls) == CURLE_OK &&
		tls->backend == CURLSSLBACKEND_OPENSSL && tls->internals != NULL && SSL_pending(tls->internals) > 0;
}

bool
exchange_has_stray(const struct exchange *x, int own_port)
{
	return exchange_is_kept(x) && (engine_sockets_has_stray(&x->engine->sockets, own_port) || has_decrypted(x));
}

/* RFC 9110 section 15.5.9. Only whoever can be sent again learns that it was none; it may have been carried out all the same. */
bool
exchange_is_farewell(const struct exchange *x, unsigned status)
{
	return status == 408 && !x->must_be_new && exchange_may_repeat(x->request) && exchange_is_kept(x);
}
