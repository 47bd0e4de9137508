// SPDX-License-Identifier: MIT
/* encoded_word.h - names as .NET's MultipartFormDataContent writes those that are not ASCII:
 *
 *     name="=?utf-8?B?R3LDtsOfZQ==?="
 *
 * which is an encoded word of RFC 2047, where that RFC has none. Only what such a client can have sent is one here: the
 * whole value, in UTF-8 and base64, of text that needed it. One that spells plain ASCII is a disguise (a gateway
 * in front of penstock would not see `csrf` in it), and one with a control byte is no name: both stay as they are.
 */
#ifndef PENSTOCK_ENCODED_WORD_H
#define PENSTOCK_ENCODED_WORD_H

#include "base/str.h"

/* Appends s to out, decoded if it is such a word. */
void encoded_word_add(struct buf *out, struct str s);

#endif
