// SPDX-License-Identifier: MIT
/* type_extension.c - see type_extension.h. The names are those of libmagic, of bookworm's and trixie's where they differ. A table of
 * our own: libmagic's extensions are lists of several, differ by version, and cost as much as the type. */
#include "config/type_extension.h"

static const struct {
	const char *type, *extension;
} rows[] = {
	{ "image/jpeg", "jpg" },
	{ "image/png", "png" },
	{ "image/gif", "gif" },
	{ "image/webp", "webp" },
	{ "image/avif", "avif" },
	{ "image/heic", "heic" },
	{ "image/heif", "heif" },
	{ "image/tiff", "tif" },
	{ "image/bmp", "bmp" },
	{ "image/svg+xml", "svg" },
	{ "image/vnd.microsoft.icon", "ico" },
	{ "image/jxl", "jxl" },
	{ "image/jp2", "jp2" },
	{ "image/vnd.adobe.photoshop", "psd" },
	{ "video/mp4", "mp4" },
	{ "video/quicktime", "mov" },
	{ "video/webm", "webm" },
	{ "video/x-matroska", "mkv" },
	{ "video/x-msvideo", "avi" },
	{ "video/mpeg", "mpg" },
	{ "video/3gpp", "3gp" },
	{ "video/ogg", "ogv" },
	{ "video/x-m4v", "m4v" },
	{ "video/x-flv", "flv" },
	{ "audio/mpeg", "mp3" },
	{ "audio/x-wav", "wav" },
	{ "audio/ogg", "ogg" },
	{ "audio/flac", "flac" },
	{ "audio/x-m4a", "m4a" },
	{ "audio/x-hx-aac-adts", "aac" },
	{ "audio/midi", "mid" },
	{ "audio/x-aiff", "aif" },
	{ "audio/amr", "amr" },
	{ "application/pdf", "pdf" },
	{ "application/postscript", "ps" },
	{ "application/zip", "zip" },
	{ "application/gzip", "gz" },
	{ "application/x-bzip2", "bz2" },
	{ "application/x-xz", "xz" },
	{ "application/zstd", "zst" },
	{ "application/x-7z-compressed", "7z" },
	{ "application/x-rar", "rar" },
	{ "application/x-tar", "tar" },
	{ "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx" },
	{ "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx" },
	{ "application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx" },
	{ "application/vnd.oasis.opendocument.text", "odt" },
	{ "application/vnd.oasis.opendocument.spreadsheet", "ods" },
	{ "application/vnd.oasis.opendocument.presentation", "odp" },
	{ "application/epub+zip", "epub" },
	{ "application/msword", "doc" },
	{ "application/vnd.ms-excel", "xls" },
	{ "application/vnd.ms-powerpoint", "ppt" },
	{ "application/json", "json" },
	{ "application/x-ndjson", "ndjson" },
	{ "application/csv", "csv" },
	{ "application/java-archive", "jar" },
	{ "application/vnd.android.package-archive", "apk" },
	{ "application/vnd.microsoft.portable-executable", "exe" },
	{ "application/x-dosexec", "exe" },
	{ "application/vnd.sqlite3", "sqlite" },
	{ "application/ogg", "ogg" },
	{ "font/woff", "woff" },
	{ "font/woff2", "woff2" },
	{ "text/plain", "txt" },
	{ "text/html", "html" },
	{ "text/xml", "xml" },
	{ "text/csv", "csv" },
	{ "text/rtf", "rtf" },
	{ "text/calendar", "ics" },
	{ "text/vcard", "vcf" },
	{ "message/rfc822", "eml" },
};

struct str
type_extension(struct str type)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (str_equal_nocase(str_of(rows[i].type), type))
			return str_of(rows[i].extension);
	return STR_NONE;
}
