# SPDX-License-Identifier: MIT
# cmake -DFROM=README.md -DTO=readme.c -P embed.cmake - a text as a C function that gives it, for config/manual.h.
file(READ ${FROM} bytes HEX)
string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${TO} "#include \"config/manual.h\"\n\nstatic const unsigned char text[] = {\n${bytes}\n};\n\n"
	"struct str\nmanual_readme(void)\n{\n\treturn (struct str){ (const char *)text, sizeof text };\n}\n")
