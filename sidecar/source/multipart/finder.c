// SPDX-License-Identifier: MIT
/* finder.c - see finder.h. In the middle of a piece the first and the last byte of the text rule out whole blocks, and its
 * first eight bytes nearly all places of a block; what is left is matched by the automaton, which also carries the search
 * from one piece to the next. */
#include "source/multipart/finder.h"

#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#define BLOCK 128 /* bytes that are looked at together */
#define WORD 8

/* -- the automaton ------------------------------------------------------------------------------------ */

static size_t
step(const struct finder *finder, size_t under_way, char c)
{
	while (under_way > 0 && finder->text[under_way] != c)
		under_way = finder->shorter[under_way];
	return finder->text[under_way] == c ? under_way + 1 : 0;
}

static void
make_shorter(struct finder *finder)
{
	for (size_t n = 1; n < finder->len; n++)
		finder->shorter[n + 1] = (unsigned char)step(finder, finder->shorter[n], finder->text[n]);
}

void
finder_init(struct finder *finder, const struct boundary *boundary)
{
	*finder = (struct finder){ .text = "--", .len = boundary->len + 2 };
	memcpy(finder->text + 2, boundary->text, boundary->len);
	memcpy(&finder->beginning, finder->text, WORD); /* a short one is filled up with zeros */
	for (size_t i = 0; i < WORD && i < finder->len; i++)
		((unsigned char *)&finder->beginning_mask)[i] = 0xff;
	make_shorter(finder);
}

const char *
finder_pass_to_end(struct finder *finder, const char *p, const char *end)
{
	size_t returns = 0, n = finder_pass(finder, p, (size_t)(end - p));
	const char *found;

	if (n > 0)
		return p + n;
	found = finder_find(finder, p, end, &returns);
	return found < end ? found + finder->len : NULL;
}

void
finder_forget(struct finder *finder)
{
	finder->under_way = 0;
}

/* The last bytes, of which only those from a '-' on can be the beginning of the text. */
static void
pass_end(struct finder *finder, const char *p, const char *end)
{
	if ((size_t)(end - p) >= finder->len) {
		finder->under_way = 0;
		p = end - finder->len + 1;
	}
	while (p < end) {
		if (finder->under_way == 0 && (p = memchr(p, '-', (size_t)(end - p))) == NULL)
			return;
		finder->under_way = step(finder, finder->under_way, *p++);
		if (finder->under_way == finder->len) /* whole in these bytes: the caller knows */
			finder->under_way = 0;
	}
}

size_t
finder_pass(struct finder *finder, const char *data, size_t len)
{
	/* What is under way is longer than these bytes up to i as long as it has begun before them. */
	for (size_t i = 0; finder->under_way > i; i++) {
		if (i == len)
			return 0;
		finder->under_way = step(finder, finder->under_way, data[i]);
		if (finder->under_way == finder->len) {
			finder->under_way = 0;
			return i + 1;
		}
	}
	finder->under_way = 0;
	pass_end(finder, data, data + len);
	return 0;
}

/* -- within a piece ----------------------------------------------------------------------------------- */

/* Skips blocks in which no text begins, and counts the carriage returns in what it has looked at. Written so that compilers
 * make a few wide instructions of it. */
static const char *
skip_blocks(const struct finder *finder, const char *p, const char *end, size_t *returns)
{
	size_t last = finder->len - 1;
	char final = finder->text[last];

	while ((size_t)(end - p) >= BLOCK + last) {
		unsigned char hit = 0, n = 0;

		for (size_t i = 0; i < BLOCK; i++) {
			hit |= (unsigned char)((p[i] == '-') & (p[i + last] == final));
			n = (unsigned char)(n + (p[i] == '\r'));
		}
		*returns += n;
		if (hit != 0)
			break;
		p += BLOCK;
	}
	return p;
}

#ifdef __x86_64__
#define VECTOR 32 /* bytes */

__attribute__((target("avx2"))) static inline __m256i
load(const char *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

/* The same by hand, which takes two thirds of the time: no compiler leaves the sums of a block as they are until the end. */
__attribute__((target("avx2"))) static const char *
skip_blocks_avx2(const struct finder *finder, const char *p, const char *end, size_t *returns)
{
	size_t last = finder->len - 1;
	const __m256i none = _mm256_setzero_si256(), first = _mm256_set1_epi8('-');
	const __m256i final = _mm256_set1_epi8(finder->text[last]), cr = _mm256_set1_epi8('\r');
	__m256i hit = none, sums = none;
	uint64_t sum[VECTOR / 8];

	for (; (size_t)(end - p) >= BLOCK + last; p += BLOCK) {
		__m256i n = none;

		for (size_t i = 0; i < BLOCK; i += VECTOR) {
			__m256i here = load(p + i), there = load(p + i + last);

			hit |= _mm256_cmpeq_epi8(here, first) & _mm256_cmpeq_epi8(there, final);
			n = _mm256_sub_epi8(n, _mm256_cmpeq_epi8(here, cr));
		}
		sums = _mm256_add_epi64(sums, _mm256_sad_epu8(n, none));
		if (!_mm256_testz_si256(hit, hit))
			break;
	}
	memcpy(sum, &sums, sizeof sum);
	*returns += sum[0] + sum[1] + sum[2] + sum[3];
	return p;
}
#endif

static const char *
skip_clean(const struct finder *finder, const char *p, const char *end, size_t *returns)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return skip_blocks_avx2(finder, p, end, returns);
#endif
	return skip_blocks(finder, p, end, returns);
}

/* First place in [p, stop) where the text's first eight bytes stand (all of a shorter one); `stop`: nowhere. There are eight
 * bytes to be read at each place. One load and one comparison for each byte, whatever the bytes are. */
static const char *
find_beginning(const struct finder *finder, const char *p, const char *stop)
{
	for (uint64_t here; p < stop; p++) {
		memcpy(&here, p, WORD);
		if (((here ^ finder->beginning) & finder->beginning_mask) == 0)
			break;
	}
	return p;
}

/* How many bytes at p go on like the text. */
static size_t
match_length(const struct finder *finder, const char *p, const char *end)
{
	size_t left = (size_t)(end - p), most = left < finder->len ? left : finder->len, n = 0;

	while (n + WORD <= most &&
		memcmp(p + n, finder->text + n, WORD) == 0) /* one comparison: WORD is constant */
		n += WORD;
	while (n < most && p[n] == finder->text[n])
		n++;
	return n;
}

/* True: the text stands at *p, where it begins before `stop`, behind which it has room. False: nowhere; *p is then where to
 * go on, at `stop` or behind. */
static bool
look_closely(const struct finder *finder, const char **p, const char *stop, const char *end)
{
	const char *at = *p;
	size_t n = 0;

	while (at < end && (n > 0 || at < stop) && n < finder->len) {
		const char *last;

		if (n > 0 || end - at < WORD) {
			n = step(finder, n, *at++);
			continue;
		}
		last = stop < end - WORD + 1 ? stop : end - WORD + 1;
		at = find_beginning(finder, at, last);
		n = at < last ? match_length(finder, at, end) : 0;
		at += n;
	}
	*p = n == finder->len ? at - n : at;
	return n == finder->len;
}

const char *
finder_find(const struct finder *finder, const char *p, const char *end, size_t *returns)
{
	while ((size_t)(end - p) >= finder->len) {
		const char *stop = end - finder->len + 1;

		p = skip_clean(finder, p, end, returns);
		if (look_closely(finder, &p, stop - p > BLOCK ? p + BLOCK : stop, end))
			return p;
	}
	return end;
}
