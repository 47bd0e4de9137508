// SPDX-License-Identifier: MIT
/* test_s3_answer.c - S3's answers, those of botocore's tests too (../shared/corpus/botocore-s3-xml): whole, at every split and
 * byte by byte they say the same, and what is not to be trusted is refused. */
#include "sink/s3/answer.h"

#include "base/mem.h"
#include "lib/check.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define N(array) (sizeof(array) / sizeof(array)[0])
#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
#define S3_NAMES " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

/* -- what an answer says, as one text -------------------------------------------------------------- */

static const char *const kind_names[] = { "empty", "error", "created", "completed", "uploads", "session", "other" };
static const char *const text_names[S3_TEXTS] = { "code", "message", "request", "server-time", "region",
	"upload-id", "etag", "crc32c", "crc64nvme", "sha256", "checksum-type", "is-truncated", "next-key",
	"next-upload-id", "access", "secret", "token", "expiration" };

static void
note_upload(void *arg, const struct s3_answer_upload *upload)
{
	buf_addf(arg, "[%.*s %.*s %.*s]", STR_ARG(upload->key), STR_ARG(upload->upload_id),
		STR_ARG(upload->initiated));
}

/* Ends the answer and appends all that it says. */
static void
tell(struct s3_answer *answer, struct buf *said)
{
	struct error err = { 0 };

	if (!s3_answer_end(answer, &err)) {
		assert_int_equal(err.kind, ERR_UPSTREAM);
		assert_int_equal(s3_answer_kind(answer), S3_ANSWER_EMPTY);
		buf_addf(said, "refused: %.*s", (int)strcspn(err.message, "("),
			err.message); /* not expat's own words */
	} else {
		buf_add_text(said, kind_names[s3_answer_kind(answer)]);
	}
	for (size_t i = 0; i < S3_TEXTS; i++) {
		struct str text = s3_answer_text(answer, (enum s3_answer_text)i);

		if (text.data != NULL)
			buf_addf(said, " %s=%.*s", text_names[i], STR_ARG(text));
	}
}

/* In pieces of `piece` bytes, the first of `first`. */
static void
read_in_pieces(struct str body, size_t max_bytes, size_t first, size_t piece, struct buf *said)
{
	struct s3_answer *answer = s3_answer_new(max_bytes);

	assert_non_null(answer);
	s3_answer_on_upload(answer, note_upload, said);
	for (size_t n = first; body.len > 0; n = piece) {
		n = n < body.len ? n : body.len;
		if (!s3_answer_feed(answer, (struct str){ body.data, n }))
			break;
		body = (struct str){ body.data + n, body.len - n };
	}
	tell(answer, said);
	s3_answer_free(answer);
}

static void
read_whole(struct str body, struct buf *said)
{
	read_in_pieces(body, S3_ANSWER_MAX_BYTES, body.len, body.len, said);
}

static void
check_every_split(struct str body)
{
	struct buf whole = { 0 };

	read_whole(body, &whole);
	for (size_t first = 0; first <= body.len; first++) {
		struct buf said = { 0 };

		read_in_pieces(body, S3_ANSWER_MAX_BYTES, first, first > 0 ? body.len : 1, &said);
		assert_string_equal(said.data, whole.data);
		buf_free(&said);
	}
	buf_free(&whole);
}

static void
check_said(struct str body, const char *expected)
{
	struct buf said = { 0 };

	read_whole(body, &said);
	assert_string_equal(said.data, expected);
	buf_free(&said);
	check_every_split(body);
}

/* -- documents ------------------------------------------------------------------------------------ */

#define SESSION(keys)                                                                                              \
	"<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"                  \
	"<AssumeRoleWithWebIdentityResult><Credentials>" keys "</Credentials><Provider>p</Provider>"               \
	"</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"

static const struct {
	const char *body, *said;
} documents[] = {
	{ "", "empty" },
	{ " \r\n\t\n", "empty" },
	{ XML "\n<Error><Code>NoSuchUpload</Code><Message>a &lt; b &#65;</Message><Resource>/x</Resource>"
	      "<RequestId>47</RequestId></Error>\n",
		"error code=NoSuchUpload message=a < b A request=47" },
	{ "<Error><Code>RequestTimeTooSkewed</Code><RequestTime>x</RequestTime><ServerTime>2026-11-28T12:00:00Z</ServerTime></Error>",
		"error code=RequestTimeTooSkewed server-time=2026-11-28T12:00:00Z" },
	{ "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>",
		"error code=AuthorizationHeaderMalformed region=eu-west-1" },
	{ "<Error/>", "error" },
	{ "<Error><Message> a  b </Message></Error>", "error message= a  b " },
	{ "<Error><Code/><Message><![CDATA[<a>]]></Message></Error>", "error code= message=<a>" },
	{ "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>"
	  "<Code>ExpiredToken</Code><Message>old</Message></Error><RequestId>1</RequestId></ErrorResponse>",
		"error code=ExpiredToken message=old request=1" },
	{ XML "<InitiateMultipartUploadResult" S3_NAMES "><Bucket>b</Bucket><Key>k</Key><UploadId>2~x</UploadId>"
	      "</InitiateMultipartUploadResult>",
		"created upload-id=2~x" },
	{ "<s:InitiateMultipartUploadResult xmlns:s=\"urn:x\"><s:UploadId>1</s:UploadId></s:InitiateMultipartUploadResult>",
		"created upload-id=1" },
	{ XML "\n<CompleteMultipartUploadResult" S3_NAMES "><Location>l</Location><ETag>&quot;3858-2&quot;</ETag>"
	      "<ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType>"
	      "</CompleteMultipartUploadResult>",
		"completed etag=\"3858-2\" crc64nvme=rosUhgp5mIg= checksum-type=FULL_OBJECT" },
	{ "<CompleteMultipartUploadResult><ChecksumCRC32C>a</ChecksumCRC32C><ChecksumSHA256>b</ChecksumSHA256>"
	  "</CompleteMultipartUploadResult>",
		"completed crc32c=a sha256=b" },
	{ "\n \n" XML " \n \n <Error><Code>InternalError</Code></Error> \n", "error code=InternalError" },
	{ XML "<!-- x > --> <?p > ?>\n<!-- <Error> --><Error><Code>A</Code></Error>", "error code=A" },
	{ "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>"
	  "<NextUploadIdMarker>u</NextUploadIdMarker><Upload><Key>a%2Fb</Key><UploadId>1</UploadId><Owner><ID>x</ID></Owner>"
	  "<Initiated>i</Initiated></Upload><Upload><UploadId>2</UploadId><Key>c</Key></Upload></ListMultipartUploadsResult>",
		"[a%2Fb 1 i][c 2 ]uploads is-truncated=true next-key=k next-upload-id=u" },
	{ "<ListMultipartUploadsResult/>", "uploads" },
	{ SESSION("<AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken>"
		  "<Expiration>2026-11-28T12:00:00Z</Expiration>"),
		"session access=A secret=S token=T expiration=2026-11-28T12:00:00Z" },
	{ "<html><Error><Code>A</Code></Error></html>", "other" },
	{ "<Error><Details><Code>A</Code></Details></Error>", "error" },
	{ "\xef\xbb\xbf<Error><Code>A</Code></Error>", "error code=A" },
};

static void
documents_say_the_same_at_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(documents); i++)
		check_said(str_of(documents[i].body), documents[i].said);
}

#define REFUSED "refused: the answer cannot be understood: "
#define NOT_XML "it is no well-formed XML "

static const struct {
	const char *body, *why;
} refusals[] = {
	{ "<Error><Code>A</Code>", NOT_XML },
	{ "<Error", NOT_XML },
	{ XML, NOT_XML },
	{ "<Error></Code>", NOT_XML },
	{ "<Error/><Error/>", NOT_XML },
	{ "<Error/>x", NOT_XML },
	{ "not XML", NOT_XML },
	{ "x" XML "<Error/>", NOT_XML },
	{ "<Error><Code>&x;</Code></Error>", NOT_XML },
	{ "<!DOCTYPE html><html></html>", "it has a document type" },
	{ "<!DOCTYPE a [<!ENTITY x \"y\">]><Error><Code>&x;</Code></Error>", "it has a document type" },
	{ "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><Error/>", "it has a document type" },
	{ "<Error><Code>\xff</Code></Error>", NOT_XML },
	{ "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><Error><Code>\xe9</Code></Error>", NOT_XML },
	{ "<Error><Code>A\x01</Code></Error>", NOT_XML },
	{ "<Error><Code>A</Code><Code>B</Code></Error>", "Error/Code comes twice" },
	{ "<Error><Code/><Code/></Error>", "Error/Code comes twice" },
	{ "<Error><Code>A<b/></Code></Error>", "its elements go too deep" },
	{ "<InitiateMultipartUploadResult/>", "it has no UploadId" },
	{ "<InitiateMultipartUploadResult><UploadId/></InitiateMultipartUploadResult>", "it has no UploadId" },
	{ SESSION("<AccessKeyId>A</AccessKeyId><SessionToken>T</SessionToken><Expiration>E</Expiration>"),
		"it has no SecretAccessKey" },
	{ "<ListMultipartUploadsResult><Upload><Key>k</Key></Upload></ListMultipartUploadsResult>",
		"an Upload has no Key or no UploadId" },
};

static void
what_is_not_to_be_trusted_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(refusals); i++) {
		char said[512];

		snprintf(said, sizeof said, REFUSED "%s", refusals[i].why);
		check_said(str_of(refusals[i].body), said);
	}
}

/* -- bounds --------------------------------------------------------------------------------------- */

static void
add_times(struct buf *body, const char *text, size_t times)
{
	for (size_t i = 0; i < times; i++)
		buf_add_text(body, text);
}

static void
check_bound(const char *begin, const char *middle, size_t times, const char *end, const char *said_end)
{
	struct buf body = { 0 }, said = { 0 };
	size_t n = strlen(said_end);

	buf_add_text(&body, begin);
	add_times(&body, middle, times);
	buf_add_text(&body, end);
	read_in_pieces(buf_str(&body), SIZE_MAX, 7, 1000, &said);
	assert_true(said.len >= n);
	assert_string_equal(said.data + said.len - n, said_end);
	buf_free(&body);
	buf_free(&said);
}

static void
long_texts_are_cut_or_refused(void **state)
{
	const char *created = "<InitiateMultipartUploadResult><UploadId>",
		   *end = "</UploadId></InitiateMultipartUploadResult>";
	const char *message = "<Error><Message>x", *message_end = "&#33;</Message><Code>A</Code></Error>";
	struct buf cut = { 0 };

	(void)state;
	check_bound(created, "u", 2048, end, "uuuuuuuu");
	check_bound(created, "u", 2049, end,
		REFUSED "InitiateMultipartUploadResult/UploadId is longer than 2048 bytes");
	buf_add_text(&cut, "error code=A message=x");
	add_times(&cut, "\xc3\xa9", 511); /* and not half of the next, nor what follows it */
	check_bound(message, "\xc3\xa9", 600, message_end, cut.data);
	buf_free(&cut);
}

static void
elements_go_so_deep_and_no_deeper(void **state)
{
	(void)state;
	check_bound("", "<a>", 16, "</a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a>", "other");
	check_bound("", "<a>", 17, "", REFUSED "its elements go too deep");
}

static void
a_tag_has_its_bound(void **state)
{
	(void)state;
	check_bound("<a b='", "x", 30000, "'/>", "other");
	check_bound("<a b='", "x", 33000, "'/>", REFUSED "a tag is longer than 32768 bytes");
	check_bound("<", "a", 33000, "/>", REFUSED "a tag is longer than 32768 bytes");
	check_bound("<a>", "text", 100000, "</a>", "other");
}

static void
white_space_within_the_answer_counts(void **state)
{
	struct buf body = { 0 }, said = { 0 };

	(void)state;
	buf_add_text(&body, "<Error>");
	add_times(&body, " ", 1000);
	buf_add_text(&body, "</Error>");
	read_in_pieces(buf_str(&body), 1000, 1, 1, &said);
	assert_string_equal(said.data, REFUSED "it is longer than 1000 bytes");
	buf_free(&body);
	buf_free(&said);
}

/* Refused at once, not when all of it has come. */
static void
an_answer_has_its_bound(void **state)
{
	static const char body[] = XML "<Error><Code>A</Code></Error>";
	struct s3_answer *answer;
	struct buf said = { 0 };

	(void)state;
	read_in_pieces(STR(body), sizeof body - 1, 10, 10, &said);
	assert_string_equal(said.data, "error code=A");
	buf_clear(&said);
	answer = s3_answer_new(sizeof body - 2);
	assert_non_null(answer);
	assert_false(s3_answer_feed(answer, STR(body)));
	assert_false(s3_answer_feed(answer, STR("<more/>")));
	tell(answer, &said);
	s3_answer_free(answer);
	assert_non_null(strstr(said.data, "it is longer than"));
	buf_free(&said);
}

/* It keeps the connection alive for as long as the store works. */
static void
white_space_before_the_answer_has_no_bound(void **state)
{
	struct s3_answer *answer = s3_answer_new(200);
	struct buf white = { 0 }, said = { 0 };

	(void)state;
	assert_non_null(answer);
	add_times(&white, " \r\n\t", 1 << 14);
	for (int i = 0; i < 100; i++)
		assert_true(s3_answer_feed(answer, buf_str(&white)));
	assert_true(s3_answer_feed(answer, STR(XML)));
	for (int i = 0; i < 100; i++)
		assert_true(s3_answer_feed(answer, buf_str(&white)));
	assert_true(s3_answer_feed(answer, STR("<Error><Code>A</Code></Error>")));
	tell(answer, &said);
	assert_string_equal(said.data, "error code=A");
	s3_answer_free(answer);
	buf_free(&said);
	buf_free(&white);
}

static void
fail_each_allocation_of(struct str body)
{
	bool ok = false;
	size_t nth = 1;

	for (; !ok; nth++) {
		struct error err = { 0 };
		struct s3_answer *answer;

		assert_true(nth < 100);
		mem_fail(nth, 1);
		answer = s3_answer_new(S3_ANSWER_MAX_BYTES);
		if (answer != NULL)
			s3_answer_feed(answer, body);
		ok = answer != NULL && s3_answer_end(answer, &err);
		ok = mem_fail(0, 0) < nth && ok;
		assert_true(ok || answer == NULL || err.kind == ERR_NOMEM);
		s3_answer_free(answer);
	}
	assert_true(nth > 3);
}

static void
each_allocation_may_fail(void **state)
{
	struct buf text = { 0 };

	(void)state;
	buf_add_text(&text, "<InitiateMultipartUploadResult><UploadId>");
	add_times(&text, "long", 200);
	buf_add_text(&text, "</UploadId></InitiateMultipartUploadResult>");
	fail_each_allocation_of(buf_str(&text));
	buf_free(&text);
	fail_each_allocation_of(STR("<Error><Code>NoSuchKey</Code><Message>It is not there</Message></Error>"));
	fail_each_allocation_of(
		STR("<ListMultipartUploadsResult><NextKeyMarker>k</NextKeyMarker><Upload><Key>k</Key>"
		    "<UploadId>1</UploadId></Upload></ListMultipartUploadsResult>"));
}

/* -- botocore's ----------------------------------------------------------------------------------- */

static const char *
corpus(const char *name)
{
	const char *at = getenv("PENSTOCK_CORPUS");
	static char path[8192];

	snprintf(path, sizeof path, "%s/botocore-s3-xml/%s", at != NULL ? at : "../shared/corpus", name);
	return path;
}

static void
read_corpus(const char *name, struct buf *out)
{
	FILE *file = fopen(corpus(name), "r");
	char bytes[4096];
	size_t n;

	assert_non_null(file);
	while ((n = fread(bytes, 1, sizeof bytes, file)) > 0)
		buf_add(out, bytes, n);
	fclose(file);
}

static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

static void
say_uploads(const json_t *answer, struct buf *said)
{
	json_t *uploads = json_object_get(answer, "Uploads"), *upload;
	size_t i;

	json_array_foreach(uploads, i, upload) buf_addf(said, "[%s %s %s]", text_of(upload, "Key"),
		text_of(upload, "UploadId"), text_of(upload, "Initiated"));
	buf_addf(said, "uploads is-truncated=%s next-key=%s next-upload-id=%s",
		json_is_true(json_object_get(answer, "IsTruncated")) ? "true" : "false",
		text_of(answer, "NextKeyMarker"), text_of(answer, "NextUploadIdMarker"));
}

static void
lists_say_what_botocore_reads(void **state)
{
	static const char *const names[] = { "responses/s3-list-multipart-uploads",
		"responses/s3-list-multipart-uploads#2" };

	(void)state;
	for (size_t i = 0; i < N(names); i++) {
		struct buf body = { 0 }, said = { 0 };
		char name[128];
		json_t *answer;

		snprintf(name, sizeof name, "%s.xml", names[i]);
		read_corpus(name, &body);
		snprintf(name, sizeof name, "%s.json", names[i]);
		answer = json_load_file(corpus(name), 0, NULL);
		assert_non_null(answer);
		say_uploads(answer, &said);
		check_said(buf_str(&body), said.data);
		json_decref(answer);
		buf_free(&body);
		buf_free(&said);
	}
}

static void
errors_say_what_botocore_reads(void **state)
{
	static const struct {
		const char *name, *said;
	} errors[] = {
		{ "errors/s3-list-objects.xml",
			"error code=AccessDenied message=Access Denied request=9C7D5181867045BB" },
		{ "errors/s3-create-bucket.xml",
			"error code=BucketAlreadyOwnedByYou message=Your previous request to create the named bucket "
			"succeeded and you already own it. request=96380E1CB938DDF7" },
	};

	(void)state;
	for (size_t i = 0; i < N(errors); i++) {
		struct buf body = { 0 };

		read_corpus(errors[i].name, &body);
		check_said(buf_str(&body), errors[i].said);
		buf_free(&body);
	}
}

static void
answers_to_other_requests_are_no_answers_to_ours(void **state)
{
	static const char *const names[] = { "get-bucket-acl", "get-bucket-location", "list-buckets",
		"list-objects" };

	(void)state;
	for (size_t i = 0; i < N(names); i++) {
		struct buf body = { 0 };
		char name[128];

		snprintf(name, sizeof name, "responses/s3-%s.xml", names[i]);
		read_corpus(name, &body);
		check_said(buf_str(&body), "other");
		buf_free(&body);
	}
}

static int
run_corpus(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_say_what_botocore_reads),
		cmocka_unit_test(errors_say_what_botocore_reads),
		cmocka_unit_test(answers_to_other_requests_are_no_answers_to_ours),
	};
	DIR *folder = opendir(corpus(""));

	if (folder == NULL) {
		printf("skip: %s is not here\n", corpus(""));
		return 77;
	}
	closedir(folder);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_say_the_same_at_every_split),
		cmocka_unit_test(what_is_not_to_be_trusted_is_refused),
		cmocka_unit_test(long_texts_are_cut_or_refused),
		cmocka_unit_test(elements_go_so_deep_and_no_deeper),
		cmocka_unit_test(a_tag_has_its_bound),
		cmocka_unit_test(white_space_within_the_answer_counts),
		cmocka_unit_test(an_answer_has_its_bound),
		cmocka_unit_test(white_space_before_the_answer_has_no_bound),
		cmocka_unit_test(each_allocation_may_fail),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	return failed != 0 ? failed : run_corpus();
}
