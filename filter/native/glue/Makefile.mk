# SPDX-License-Identifier: MIT
# For HAProxy 3.4 and later: make EXTRA_MAKE=<folder of this file> PENSTOCK_OBJECT=<filter.o of build.sh> ...
# build.sh makes the object and calls this; PENSTOCK shows in `haproxy -vv`.
OPTIONS_OBJS  += $(PENSTOCK_OBJECT)
OPTIONS_LDFLAGS += -lyaml
BUILD_OPTIONS += PENSTOCK
