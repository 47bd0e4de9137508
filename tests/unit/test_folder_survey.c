// SPDX-License-Identifier: MIT
/* What `penstock probe` says of quotas, whatever the kernel here and its file systems have: quotactl_fd() is this program's. */
#include "sink/directory/folder_survey.h"

#include "lib/check.h"
#include "lib/folder.h"
#include "lib/routes.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/quota.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KIB 1024u

/* What the kernel says of one kind of quota. */
struct said {
	int error;      /* 0: the rest counts */
	uint64_t limit; /* KiB; 0: none is set */
	uint64_t used;  /* bytes */
};

#define NO(error)                                                                                                  \
	{                                                                                                          \
		error, 0, 0                                                                                        \
	}

static struct said of_user, of_group;
static unsigned n_asked;

static long
quotactl_fake(unsigned ask, unsigned id, struct dqblk *quota)
{
	bool is_user = (ask & SUBCMDMASK) == USRQUOTA;
	const struct said *said = is_user ? &of_user : &of_group;

	n_asked++;
	assert_int_equal(ask >> SUBCMDSHIFT, Q_GETQUOTA & (UINT32_MAX >> SUBCMDSHIFT));
	assert_int_equal(id, is_user ? geteuid() : getegid());
	if (said->error != 0) {
		errno = said->error;
		return -1;
	}
	quota->dqb_bhardlimit = said->limit;
	quota->dqb_curspace = said->used;
	return 0;
}

/* In place of the C library's. */
long
syscall(long number, ...)
{
	long (*next)(long, ...) = NULL;
	void *found = dlsym(RTLD_NEXT, "syscall");
	long n[5];
	va_list args;

	va_start(args, number);
	for (size_t i = 0; i < 5; i++)
		n[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_quotactl_fd)
		return quotactl_fake((unsigned)n[1], (unsigned)n[2], (struct dqblk *)n[3]);
	memcpy(&next, &found, sizeof next);
	return next(number, n[0], n[1], n[2], n[3], n[4]);
}

/* What is found of `ability` in a folder. */
static struct survey_finding
find(const char *path, const char *ability)
{
	static struct survey survey;
	char text[512];
	struct survey_finding found = { 0 };
	struct config *config;

	snprintf(text, sizeof text,
		"version: 1\ndestinations: { d: { type: directory, path: %s } }\n"
		"routes: [ { id: r, fields: [ { name: f, store: { to: d, key: \"{uuid}\" } } ] } ]\n",
		path);
	config = routes_of(text);
	survey = (struct survey){ .config = config };
	folder_survey(&survey, &config->destinations[0]);
	for (size_t i = 0; i < survey.findings.n; i++)
		if (strcmp(survey.findings.items[i].ability, ability) == 0)
			found = survey.findings.items[i];
	config_free(config);
	return found;
}

static void
what_is_left_of_a_quota_is_told(void **state)
{
	static const struct {
		struct said user, group;
		enum survey_answer answer;
		const char *sentence;
	} cases[] = {
		{ NO(ESRCH), NO(ESRCH), SURVEY_YES, "no limit is set" },
		{ { 0, 0, 70 }, { 0, 0, 70 }, SURVEY_YES, "no limit is set" },
		{ { 0, 1024, 256 * KIB }, NO(ESRCH), SURVEY_YES, "768.0 KiB are left to this user, of 1.0 MiB" },
		{ { 0, 1024, 1024 * KIB - 1 }, NO(ESRCH), SURVEY_YES, "1 bytes are left to this user, of 1.0 MiB" },
		{ { 0, 1024, 1024 * KIB }, NO(ESRCH), SURVEY_NO, "0 bytes are left to this user, of 1.0 MiB" },
		{ { 0, 1024, 1025 * KIB }, NO(ESRCH), SURVEY_NO, "0 bytes are left to this user, of 1.0 MiB" },
		{ { 0, 0, 70 }, { 0, 2048, 1024 * KIB }, SURVEY_YES, "1.0 MiB are left to this group, of 2.0 MiB" },
		{ NO(ESRCH), { 0, 2048, 2048 * KIB }, SURVEY_NO, "0 bytes are left to this group, of 2.0 MiB" },
		{ { 0, 1024, 0 }, { 0, 2048, 2048 * KIB }, SURVEY_NO,
			"0 bytes are left to this group, of 2.0 MiB" },
		{ { 0, 1024, 0 }, { 0, 2048, 0 }, SURVEY_YES, "1.0 MiB are left to this user, of 1.0 MiB" },
		{ NO(ENOSYS), NO(ENOSYS), SURVEY_NOT_TRIED, "its file system counts none" },
		{ NO(EOPNOTSUPP), NO(EOPNOTSUPP), SURVEY_NOT_TRIED, "its file system counts none" },
		{ NO(ENOTTY), NO(ENOTTY), SURVEY_NOT_TRIED, "its file system counts none" },
		{ NO(EPERM), NO(EPERM), SURVEY_NOT_TRIED, "Operation not permitted" },
	};
	const char *folder = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct survey_finding found;

		of_user = cases[i].user;
		of_group = cases[i].group;
		n_asked = 0;
		found = find(folder, "quota");
		assert_int_equal(n_asked, 2);
		assert_int_equal(found.answer, cases[i].answer);
		assert_string_equal(found.sentence, cases[i].sentence);
		assert_string_equal(found.relied_on, ""); /* nobody promised room: it breaks nothing */
	}
}

static int folder;

static int
set_up(void **state)
{
	folder = folder_make();
	*state = (void *)(uintptr_t)folder_path();
	return folder < 0 ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	return folder_remove(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_left_of_a_quota_is_told, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
