// SPDX-License-Identifier: MIT
/* credentials_source.c - see credentials_source.h. One function for each place where keys may be named, in their order; the first
 * that does not say NOT_HERE ends the search. A source that is named and not whole is an error, and the search does not go on:
 * keys that were forgotten at the end of the chain would sign what was meant for others. */
#include "sink/s3/credentials_source.h"

#include "base/mem.h"
#include "sink/s3/credentials_keys.h"
#include "sink/s3/credentials_profile.h"
#include "sink/s3/credentials_url.h"

#include <string.h>

#define SESSION_NAME "penstock"
#define ECS_BASE "http://169.254.170.2"
#define INSTANCE_BASE "http://169.254.169.254"
#define INSTANCE_BASE_IPV6 "http://[fd00:ec2::254]"

enum found { NOT_HERE, FOUND, FAILED };

struct search {
	const struct s3_keyring_setup *setup;
	const struct s3_environment *environment;
	const struct s3_files *files;
	struct s3_source *source;
	struct error *err;
};

/* Absent: not set, or set to nothing. */
static struct str
get(const struct search *s, enum s3_variable variable)
{
	const char *value = s->environment->value[variable];

	return value != NULL && value[0] != '\0' ? str_of(value) : STR_NONE;
}

static enum found
fail(const struct search *s, const char *why)
{
	error_set(s->err, ERR_CONFIG, "%s", why);
	return FAILED;
}

/* False: out of memory, which err says. */
static bool
set(const struct search *s, enum s3_source_text which, struct str value)
{
	s3_keys_free_text(s->source->text[which]);
	s->source->text[which] = value.len > 0 ? str_dup(value) : NULL;
	return value.len == 0 || s->source->text[which] != NULL || error_nomem(s->err);
}

/* -- keys that stand somewhere ------------------------------------------------------------------------ */

static enum found
take_keys(const struct search *s, struct str access, struct str secret, struct str token)
{
	const char *fault = s3_keys_fault(&(struct s3_keys_parts){ access, secret, token, 0, 0 });

	if (fault != NULL) {
		error_set(s->err, ERR_CONFIG, "%s: %s", s->source->text[S3_SOURCE_WORDS], fault);
		return FAILED;
	}
	s->source->kind = S3_SOURCE_STATIC;
	return set(s, S3_SOURCE_ACCESS, access) && set(s, S3_SOURCE_SECRET, secret) &&
			set(s, S3_SOURCE_TOKEN, token)
		? FOUND
		: FAILED;
}

static enum found
from_environment(const struct search *s)
{
	struct str access = get(s, S3_AWS_ACCESS_KEY_ID), secret = get(s, S3_AWS_SECRET_ACCESS_KEY);

	if (access.len == 0 && secret.len == 0)
		return NOT_HERE;
	if (!set(s, S3_SOURCE_WORDS, STR("the environment")))
		return FAILED;
	return take_keys(s, access, secret, get(s, S3_AWS_SESSION_TOKEN));
}

/* -- web identity ------------------------------------------------------------------------------------- */

/* Makes the address of STS. The region becomes a part of a host's name. False: it cannot be one. */
static bool
add_sts(const struct search *s, struct buf *url)
{
	struct str region = get(s, S3_AWS_REGION);

	if (region.len == 0)
		region = get(s, S3_AWS_DEFAULT_REGION);
	if (region.len == 0)
		region = str_of(s->setup->region);
	for (size_t i = 0; i < region.len; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-", region.data[i]) == NULL)
			return false;
	if (region.len == 0)
		return false;
	buf_addf(url, "https://sts.%.*s.amazonaws.com%s", STR_ARG(region),
		str_starts_nocase(region, "cn-") ? ".cn" : "");
	return true;
}

static bool
set_url(const struct search *s, struct str url, const char *what)
{
	struct str base, target;

	if (!s3_url_split(url, &base, &target))
		return error_set(s->err, ERR_CONFIG, "%s is not an http or https URL", what);
	return set(s, S3_SOURCE_BASE, base) && set(s, S3_SOURCE_TARGET, target.len > 0 ? target : STR("/")) &&
		set(s, S3_SOURCE_CA_FILE, get(s, S3_AWS_CA_BUNDLE));
}

static bool
set_sts(const struct search *s)
{
	struct str named = get(s, S3_AWS_ENDPOINT_URL_STS);
	struct buf url = { 0 };
	bool ok;

	if (named.len == 0)
		named = get(s, S3_AWS_ENDPOINT_URL);
	if (named.len > 0)
		return set_url(s, named, "the endpoint of STS in the environment");
	if (!add_sts(s, &url))
		return error_set(s->err, ERR_CONFIG,
			"the region is none that has an STS; AWS_ENDPOINT_URL_STS says where to ask");
	ok = url.failed ? error_nomem(s->err) : set_url(s, buf_str(&url), "STS");
	buf_free(&url);
	return ok;
}

static enum found
take_role(const struct search *s, struct str token_file, struct str role, struct str session_name)
{
	if (role.len == 0)
		return fail(s, "a web identity needs a role: AWS_ROLE_ARN, or role_arn of the profile");
	s->source->kind = S3_SOURCE_WEB_IDENTITY;
	return set(s, S3_SOURCE_TOKEN_FILE, token_file) && set(s, S3_SOURCE_ROLE, role) &&
			set(s, S3_SOURCE_SESSION_NAME, session_name.len > 0 ? session_name : STR(SESSION_NAME)) &&
			set_sts(s)
		? FOUND
		: FAILED;
}

static enum found
from_web_identity(const struct search *s)
{
	struct str token_file = get(s, S3_AWS_WEB_IDENTITY_TOKEN_FILE);

	if (token_file.len == 0)
		return NOT_HERE;
	if (!set(s, S3_SOURCE_WORDS, STR("the web identity of the environment")))
		return FAILED;
	return take_role(s, token_file, get(s, S3_AWS_ROLE_ARN), get(s, S3_AWS_ROLE_SESSION_NAME));
}

/* -- a profile ---------------------------------------------------------------------------------------- */

struct profiles {
	struct s3_profile shared, config;
};

static struct str
of_either(const struct profiles *p, enum s3_profile_key key)
{
	return p->shared.value[key].len > 0 ? p->shared.value[key] : p->config.value[key];
}

static bool
read_profiles(const struct search *s, struct str name, struct profiles *p)
{
	if (!s3_profile_read(buf_str(&s->files->credentials), S3_PROFILE_CREDENTIALS, name, &p->shared, s->err))
		return error_wrap(s->err, "the shared file \"credentials\"");
	if (!s3_profile_read(buf_str(&s->files->config), S3_PROFILE_CONFIG, name, &p->config, s->err))
		return error_wrap(s->err, "the shared file \"config\"");
	return true;
}

/* A profile with one of these is an error, because keys from further down the chain are not those that it asks for. */
static const char *
what_we_cannot(const struct profiles *p)
{
	static const enum s3_profile_key keys[] = { S3_PROFILE_SOURCE_PROFILE, S3_PROFILE_CREDENTIAL_SOURCE,
		S3_PROFILE_ROLE, S3_PROFILE_PROCESS, S3_PROFILE_SSO_SESSION, S3_PROFILE_SSO_START_URL };

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (of_either(p, keys[i]).len > 0)
			return s3_profile_word(keys[i]);
	return NULL;
}

static enum found
take_profile(const struct search *s, const struct profiles *p)
{
	const struct s3_profile *both[] = { &p->shared, &p->config };
	const char *foreign = what_we_cannot(p);

	if (of_either(p, S3_PROFILE_TOKEN_FILE).len > 0)
		return take_role(s, of_either(p, S3_PROFILE_TOKEN_FILE), of_either(p, S3_PROFILE_ROLE),
			of_either(p, S3_PROFILE_SESSION_NAME));
	for (size_t i = 0; of_either(p, S3_PROFILE_ROLE).len == 0 && i < 2; i++)
		if (both[i]->value[S3_PROFILE_ACCESS].len > 0 || both[i]->value[S3_PROFILE_SECRET].len > 0)
			return take_keys(s, both[i]->value[S3_PROFILE_ACCESS], both[i]->value[S3_PROFILE_SECRET],
				both[i]->value[S3_PROFILE_TOKEN]);
	if (foreign == NULL)
		return NOT_HERE;
	error_set(s->err, ERR_CONFIG, "%s says %s, which penstock does not do", s->source->text[S3_SOURCE_WORDS],
		foreign);
	return FAILED;
}

/* `is_named`: it must be there. */
static enum found
from_profile(const struct search *s, struct str name, bool is_named)
{
	struct profiles p = { 0 };
	struct buf words = { 0 };
	bool ok;

	if (!read_profiles(s, name, &p))
		return FAILED;
	buf_addf(&words, "the profile \"%.*s\"", STR_ARG(name));
	ok = words.failed ? error_nomem(s->err) : set(s, S3_SOURCE_WORDS, buf_str(&words));
	buf_free(&words);
	if (!ok)
		return FAILED;
	if (p.shared.is_there || p.config.is_there)
		return take_profile(s, &p);
	if (!is_named)
		return NOT_HERE;
	error_set(s->err, ERR_CONFIG, "%s is in none of the shared files", s->source->text[S3_SOURCE_WORDS]);
	return FAILED;
}

static enum found
from_usual_profile(const struct search *s)
{
	struct str named = get(s, S3_AWS_PROFILE);

	return from_profile(s, named.len > 0 ? named : STR("default"), named.len > 0);
}

/* -- endpoints ---------------------------------------------------------------------------------------- */

static bool
set_relative(const struct search *s, struct str path)
{
	struct buf url = { 0 };
	bool ok;

	if (path.data[0] != '/')
		return error_set(
			s->err, ERR_CONFIG, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a \"/\"");
	buf_addf(&url, ECS_BASE "%.*s", STR_ARG(path));
	ok = url.failed ? error_nomem(s->err)
			: set_url(s, buf_str(&url), "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI behind its host");
	buf_free(&url);
	return ok;
}

static bool
set_full(const struct search *s, struct str url)
{
	if (!set_url(s, url, "AWS_CONTAINER_CREDENTIALS_FULL_URI"))
		return false;
	if (s3_url_is_safe(str_of(s->source->text[S3_SOURCE_BASE])))
		return true;
	return error_set(s->err, ERR_CONFIG,
		"AWS_CONTAINER_CREDENTIALS_FULL_URI: without https only this machine, or the fixed address of ECS or EKS, may be asked");
}

static enum found
from_container(const struct search *s)
{
	struct str relative = get(s, S3_AWS_CONTAINER_RELATIVE_URI), full = get(s, S3_AWS_CONTAINER_FULL_URI);
	struct str token = get(s, S3_AWS_CONTAINER_AUTHORIZATION_TOKEN);

	if (relative.len == 0 && full.len == 0)
		return NOT_HERE;
	if (str_has_control(token))
		return fail(s, "AWS_CONTAINER_AUTHORIZATION_TOKEN holds a control byte");
	s->source->kind = S3_SOURCE_CONTAINER;
	return (relative.len > 0 ? set_relative(s, relative) : set_full(s, full)) &&
			set(s, S3_SOURCE_WORDS, STR("the container's endpoint")) &&
			set(s, S3_SOURCE_AUTHORIZATION, token) &&
			set(s, S3_SOURCE_TOKEN_FILE, get(s, S3_AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE))
		? FOUND
		: FAILED;
}

static struct str
instance_base(const struct search *s)
{
	struct str base = get(s, S3_AWS_EC2_METADATA_SERVICE_ENDPOINT);

	if (base.len == 0 && str_equal_nocase(get(s, S3_AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE), STR("ipv6")))
		return STR(INSTANCE_BASE_IPV6);
	if (base.len == 0)
		return STR(INSTANCE_BASE);
	while (base.len > 0 && base.data[base.len - 1] == '/')
		base.len--;
	return base;
}

static enum found
from_instance(const struct search *s)
{
	struct str url = instance_base(s), base, target;

	if (str_equal_nocase(get(s, S3_AWS_EC2_METADATA_DISABLED), STR("true")))
		return NOT_HERE;
	if (!s3_url_split(url, &base, &target) || memchr(target.data, '?', target.len) != NULL)
		return fail(s, "AWS_EC2_METADATA_SERVICE_ENDPOINT is not an http or https URL without a query");
	s->source->kind = S3_SOURCE_INSTANCE;
	return set(s, S3_SOURCE_WORDS, STR("the instance's metadata")) && set(s, S3_SOURCE_BASE, url) ? FOUND
												      : FAILED;
}

/* -- the chain ---------------------------------------------------------------------------------------- */

static enum found
from_route_file(const struct search *s)
{
	const struct s3_credentials *given = s->setup->given;
	enum found found;

	if (given == NULL || (given->access_key == NULL && given->profile == NULL))
		return NOT_HERE;
	if (given->access_key != NULL)
		return !set(s, S3_SOURCE_WORDS, STR("the route file"))
			? FAILED
			: take_keys(s, str_of(given->access_key), str_of(given->secret_key),
				  str_of(given->session_token));
	found = from_profile(s, str_of(given->profile), true);
	if (found == NOT_HERE)
		error_set(s->err, ERR_CONFIG, "%s has no keys", s->source->text[S3_SOURCE_WORDS]);
	return found == NOT_HERE ? FAILED : found;
}

static enum found
from_nowhere(const struct search *s)
{
	return fail(s,
		"there are no keys for S3: none in the route file, the environment and the shared files, no web identity, "
		"no container's endpoint, and the instance's metadata are not to be asked");
}

bool
s3_source_decide(const struct s3_keyring_setup *setup, const struct s3_environment *environment,
	const struct s3_files *files, struct s3_source *source, struct error *err)
{
	static enum found (*const steps[])(const struct search *) = { from_route_file, from_environment,
		from_web_identity, from_usual_profile, from_container, from_instance, from_nowhere };
	struct search s = { setup, environment, files, source, err };
	enum found found = NOT_HERE;

	*source = (struct s3_source){ 0 };
	for (size_t i = 0; found == NOT_HERE; i++)
		found = steps[i](&s);
	return found == FOUND;
}

bool
s3_source_wants_files(const struct s3_credentials *given, const struct s3_environment *environment)
{
	struct search s = { .environment = environment };

	if (given != NULL && (given->access_key != NULL || given->profile != NULL))
		return given->access_key == NULL;
	return get(&s, S3_AWS_ACCESS_KEY_ID).len == 0 && get(&s, S3_AWS_SECRET_ACCESS_KEY).len == 0 &&
		get(&s, S3_AWS_WEB_IDENTITY_TOKEN_FILE).len == 0;
}

bool
s3_source_equal(const struct s3_source *a, const struct s3_source *b)
{
	bool equal = a->kind == b->kind;

	for (size_t i = 0; equal && i < S3_SOURCE_TEXTS; i++)
		equal = (a->text[i] == NULL) == (b->text[i] == NULL) &&
			str_equal(str_of(a->text[i]), str_of(b->text[i]));
	return equal;
}

void
s3_source_free(struct s3_source *source)
{
	for (size_t i = 0; i < S3_SOURCE_TEXTS; i++)
		s3_keys_free_text(source->text[i]);
	*source = (struct s3_source){ 0 };
}
