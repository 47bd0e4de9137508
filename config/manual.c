// SPDX-License-Identifier: MIT
/* manual.c - see manual.h. One pass over the lines: the first line of a block begins it, and its words are filled into
 * lines of less than 80 bytes, as man(7) wants its source. A table becomes a list: the first column is the tag. In a
 * table of keys type and default stand beside it; of any other with more than two columns each has a line, with its name. */
#include "config/manual.h"

#include "config/load.h"

#include <ctype.h>
#include <string.h>

#define LINE_MAX_BYTES 78
#define MAX_CELLS 4 /* key, value, default, meaning */

enum block { BLOCK_NONE, BLOCK_HEADING, BLOCK_TEXT, BLOCK_ITEM, BLOCK_TABLE, BLOCK_CODE };

struct page {
	struct buf *out;
	enum block block;
	size_t column;   /* bytes on the line that is being filled */
	bool bold;       /* inside `code` */
	bool past_head;  /* of the table: the line of dashes has been seen */
	struct str head; /* of the table: its first line, which names the columns */
};

/* -- words ------------------------------------------------------------------------------------------ */

static void
add_byte(struct page *page, char c)
{
	if (c == '`')
		buf_add_text(page->out, page->bold ? "\\fR" : "\\fB");
	else if (c == '\\')
		buf_add_text(page->out, "\\e");
	else if (c == '-' && page->bold)
		buf_add_text(page->out, "\\-"); /* can be copied to a shell */
	else if (c == '^')
		buf_add_text(page->out, "\\(ha");
	else if (c == '~')
		buf_add_text(page->out, "\\(ti");
	else
		buf_add_char(page->out, c);
	if (c == '`')
		page->bold = !page->bold;
}

static void
add_bytes(struct page *page, struct str text)
{
	size_t before = page->out->len;

	if (page->column == 0 && text.len > 0 && (text.data[0] == '.' || text.data[0] == '\''))
		buf_add_text(page->out, "\\&"); /* not a request */
	for (size_t i = 0; i < text.len; i++)
		add_byte(page, text.data[i]);
	page->column += page->out->len - before;
}

static void
end_line(struct page *page)
{
	if (page->column > 0)
		buf_add_char(page->out, '\n');
	page->column = 0;
}

static struct str
next_word(struct str *text)
{
	struct str word;

	*text = str_trim(*text);
	word = *text;
	for (word.len = 0; word.len < text->len && text->data[word.len] != ' '; word.len++)
		;
	text->data += word.len;
	text->len -= word.len;
	return word;
}

/* Bytes that add_byte() makes of it at the most. */
static size_t
longest(char c)
{
	switch (c) {
	case '^':
	case '~':
		return 5;
	case '`':
		return 3;
	case '\\':
	case '-':
		return 2;
	default:
		return 1;
	}
}

static bool
has_room(const struct page *page, struct str word)
{
	size_t column = page->column + 1;

	for (size_t i = 0; i < word.len; i++)
		column += longest(word.data[i]);
	return column <= LINE_MAX_BYTES;
}

static void
fill(struct page *page, struct str text)
{
	struct str word;

	while ((word = next_word(&text)).len > 0) {
		if (page->column > 0 && !has_room(page, word))
			end_line(page);
		if (page->column > 0) {
			buf_add_char(page->out, ' ');
			page->column++;
		}
		add_bytes(page, word);
	}
}

/* -- blocks ----------------------------------------------------------------------------------------- */

static void
request(struct page *page, const char *line)
{
	end_line(page);
	buf_addf(page->out, "%s\n", line);
}

static void
end_block(struct page *page)
{
	end_line(page);
	page->block = BLOCK_NONE;
	page->past_head = false;
}

static void
add_heading(struct page *page, struct str title, const char *macro, bool upper)
{
	end_block(page);
	title = str_trim(title);
	buf_addf(page->out, "%s ", macro);
	for (size_t i = 0; i < title.len; i++) {
		char c = title.data[i];

		if (c != '`')
			add_byte(page, upper ? (char)toupper((unsigned char)c) : c);
	}
	buf_add_char(page->out, '\n');
	page->block = BLOCK_HEADING;
}

static size_t
split_cells(struct str row, struct str *cells)
{
	size_t n = 0;

	while (row.len > 1 && n < MAX_CELLS) {
		const char *start = row.data + 1, *bar = memchr(start, '|', row.len - 1);
		size_t len = bar != NULL ? (size_t)(bar - start) : row.len - 1;

		cells[n++] = str_trim((struct str){ start, len });
		row.data = start + len;
		row.len -= 1 + len;
	}
	return n;
}

/* What stands behind the tag: the last of two cells, or each under its column's name. */
static void
add_cells(struct page *page, const struct str *cells, size_t n)
{
	struct str names[MAX_CELLS];
	size_t n_names = split_cells(page->head, names);

	if (n == 2)
		fill(page, cells[1]);
	for (size_t i = 1; n > 2 && i < n && i < n_names; i++) {
		if (i > 1)
			request(page, ".br");
		fill(page, names[i]);
		add_bytes(page, STR(":"));
		fill(page, cells[i]);
	}
}

/* "key (value; default)" on one line, and below it what it means. */
static void
add_row(struct page *page, struct str row)
{
	struct str cells[MAX_CELLS];
	size_t n = split_cells(row, cells);

	if (n == 0)
		return;
	request(page, ".TP");
	add_bytes(page, cells[0]);
	if (n == MAX_CELLS) {
		add_bytes(page, STR("  "));
		add_bytes(page, cells[1]);
		add_bytes(page,
			cells[2].len == 0                      ? STR("")
				: str_is(cells[2], "required") ? STR("; ")
							       : STR("; default "));
		add_bytes(page, cells[2]);
	}
	end_line(page);
	if (n == MAX_CELLS)
		fill(page, cells[n - 1]);
	else
		add_cells(page, cells, n);
}

static void
add_table_line(struct page *page, struct str line)
{
	if (page->block != BLOCK_TABLE) {
		end_block(page);
		page->head = line;
	}
	page->block = BLOCK_TABLE;
	if (page->past_head)
		add_row(page, line);
	else if (line.len > 1 && line.data[1] == '-')
		page->past_head = true;
}

static void
add_code_line(struct page *page, struct str line)
{
	page->column = 0;
	add_bytes(page, line);
	buf_add_char(page->out, '\n');
	page->column = 0;
}

static void
toggle_code(struct page *page)
{
	if (page->block == BLOCK_CODE) {
		buf_add_text(page->out, ".EE\n.RE\n");
		page->block = BLOCK_NONE;
	} else {
		end_block(page);
		buf_add_text(page->out, ".RS 4\n.EX\n");
		page->block = BLOCK_CODE;
	}
}

static void
add_text_line(struct page *page, struct str line)
{
	bool item = line.len > 2 && memcmp(line.data, "- ", 2) == 0;

	if (item) {
		request(page, ".IP \\(bu 2");
		page->block = BLOCK_ITEM;
		line.data += 2;
		line.len -= 2;
	} else if (page->block == BLOCK_NONE) {
		request(page, ".PP");
	}
	if (page->block == BLOCK_NONE || page->block == BLOCK_HEADING)
		page->block = BLOCK_TEXT;
	fill(page, line);
}

static bool
begins(struct str line, const char *with)
{
	return line.len >= strlen(with) && memcmp(line.data, with, strlen(with)) == 0;
}

static void
add_line(struct page *page, struct str line)
{
	if (begins(line, "```"))
		toggle_code(page);
	else if (page->block == BLOCK_CODE)
		add_code_line(page, line);
	else if (begins(line, "### "))
		add_heading(page, (struct str){ line.data + 4, line.len - 4 }, ".SS", false);
	else if (begins(line, "## "))
		add_heading(page, (struct str){ line.data + 3, line.len - 3 }, ".SH", true);
	else if (begins(line, "|"))
		add_table_line(page, line);
	else if (line.len > 0 && !begins(line, "# ") && !begins(line, "<!--"))
		add_text_line(page, line);
	else if (line.len == 0 && page->block != BLOCK_HEADING)
		end_block(page);
}

/* -- pages ------------------------------------------------------------------------------------------ */

void
manual_add(struct buf *out, struct str markdown)
{
	struct page page = { .out = out };

	while (markdown.len > 0) {
		const char *end = memchr(markdown.data, '\n', markdown.len);
		size_t len = end != NULL ? (size_t)(end - markdown.data) : markdown.len;
		size_t step = end != NULL ? len + 1 : len;

		add_line(&page, (struct str){ markdown.data, len });
		markdown.data += step;
		markdown.len -= step;
	}
	end_block(&page);
}

void
manual_begin(struct buf *out, const char *name, unsigned section, const char *what)
{
	buf_add_text(out, ".TH ");
	for (const char *c = name; *c != '\0'; c++)
		buf_add_char(out, (char)toupper((unsigned char)*c));
	buf_addf(out, " %u %s \"penstock %s\"\n.SH NAME\n%s \\- %s\n", section, PENSTOCK_DATE, PENSTOCK_VERSION,
		name, what);
}

void
config_manual(struct buf *out)
{
	struct buf text = { 0 };

	buf_add_text(&text, "## Description\n");
	buf_add_str(&text, manual_readme());
	buf_add_text(&text, "## See also\n`penstock`(1)\n");
	manual_begin(out, "penstock.yaml", 5, "route files of penstock");
	manual_add(out, buf_str(&text));
	out->failed = out->failed || text.failed;
	buf_free(&text);
}
