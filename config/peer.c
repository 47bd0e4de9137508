// SPDX-License-Identifier: MIT
/* peer.c - see peer.h. */
#include "config/peer.h"

#include "base/mem.h"
#include "config/address.h"
#include "config/headers.h"
#include "config/loading.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct key timeout_keys[] = {
	{ "connect", KEY_TIME, .fallback = "2s", .min = 1, .max = YEAR_MS, AT(http_peer, connect_ms),
		.help = "Longest time to connect, resolving the name and TLS included; each try has as much." },
	{ "idle", KEY_TIME, .fallback = "30s", .min = 1, .max = YEAR_MS, AT(http_peer, idle_ms),
		.help = "Longest time in which no byte moves although there is one to move, or an answer is owed; it may be "
			"noticed a quarter later." },
	{ "total", KEY_TIME, .fallback = "1h", .min = 1, .max = YEAR_MS, AT(http_peer, total_ms),
		.help = "Longest life of one transfer; it may have to wait for the rest of the form." },
};
const struct key_table peer_timeout = { "`timeout` of a destination", "destinations.NAME.timeout",
	KEYS(timeout_keys) };

static const struct key retry_keys[] = {
	{ "connect", KEY_COUNT, .fallback = "2", .min = 0, .max = 10, AT(http_peer, retry_connect),
		.help = "Further tries to connect; only while not one body byte has been sent." },
};
const struct key_table peer_retry = { "`retry`", "destinations.NAME.retry", KEYS(retry_keys) };

static const struct key tls_keys[] = {
	{ "ca", KEY_FILE, AT(http_peer, ca_file),
		.help = "`{ file: PATH }`: PEM file of the authorities to trust; without it those of the system." },
	{ "cert", KEY_FILE, AT(http_peer, cert_file),
		.help = "`{ file: PATH }`: PEM file of the client certificate; needs `key`." },
	{ "key", KEY_FILE, AT(http_peer, key_file),
		.help = "`{ file: PATH }`: PEM file of its private key; needs `cert`." },
};
const struct key_table peer_tls = { "`tls`", "destinations.NAME.tls", KEYS(tls_keys) };

static void
complain(struct loading *l, const struct node *node, const char *key, const struct error *err)
{
	if (err->kind == ERR_NOMEM)
		diag_nomem(l->diag);
	else
		diag_error(l->diag, node->spot, "%s: %s", key, err->message);
}

static void
link_socket(struct loading *l, struct http_peer *peer, const struct node *node)
{
	const struct node *url = yaml_tree_get(node, "url"), *given = yaml_tree_get(node, "host");
	const struct node *host = yaml_tree_scalar(node, "host");
	struct error err = { 0 };

	if (peer->unix_socket == NULL && peer->url != NULL && given != NULL)
		diag_error(l->diag, given->spot, "host: only for a unix socket; the URL has the host");
	else if (peer->unix_socket != NULL && given == NULL)
		diag_error(l->diag, url->spot, "url: a unix socket needs the key \"host\" beside it");
	else if (host != NULL && !address_check_host(host->text, &err))
		complain(l, host, "host", &err);
	else if (peer->unix_socket != NULL && host != NULL && !address_socket_url(host->chars, peer, &err))
		complain(l, host, "host", &err);
}

static void
warn_of_file(struct loading *l, const struct node *tls, const char *key, const char *path, bool is_secret)
{
	struct spot spot;
	struct stat st;

	if (l->elsewhere || path == NULL)
		return;
	spot = yaml_tree_get(yaml_tree_get(tls, key), "file")->spot;
	if (access(path, R_OK) != 0 || stat(path, &st) != 0)
		diag_warn(l->diag, spot, "%s: the file cannot be read: %s", key, strerror(errno));
	else if (S_ISDIR(st.st_mode))
		diag_warn(l->diag, spot, "%s: this is a folder, and not a file", key);
	else if (is_secret && (st.st_mode & S_IROTH) != 0)
		diag_warn(l->diag, spot, "%s: the file is readable by everyone", key);
}

static void
link_tls(struct loading *l, const struct http_peer *peer, const struct node *tls)
{
	const struct node *cert = yaml_tree_get(tls, "cert"), *key = yaml_tree_get(tls, "key");
	bool https = peer->url != NULL && str_starts_nocase(str_of(peer->url), "https://");

	if (tls == NULL)
		return;
	if (!https && (peer->url != NULL || peer->unix_socket != NULL))
		diag_error(l->diag, tls->spot, "tls: only for an https:// URL");
	if ((cert == NULL) != (key == NULL))
		diag_error(l->diag, tls->spot, "tls: \"cert\" and \"key\" belong together");
	warn_of_file(l, tls, "ca", peer->ca_file, false);
	warn_of_file(l, tls, "cert", peer->cert_file, false);
	warn_of_file(l, tls, "key", peer->key_file, true);
}

void
peer_link(struct loading *l, struct http_peer *peer, const struct node *node)
{
	link_socket(l, peer, node);
	link_tls(l, peer, yaml_tree_get(node, "tls"));
}

void
peer_free(struct http_peer *peer)
{
	headers_free(&peer->headers);
	mem_free(peer->url);
	mem_free(peer->unix_socket);
	mem_free(peer->ca_file);
	mem_free(peer->cert_file);
	mem_free(peer->key_file);
}
