// SPDX-License-Identifier: MIT
/* reserved.c - see reserved.h. Rack also parts parameters at a ';'. */
#include "decide/reserved.h"

#include "config/app_names.h"
#include "route/query_name.h"

static bool
check(const struct route *route, struct str name, struct error *err)
{
	char decoded[QUERY_NAME_MAX];

	if (!app_names_reserve(route, query_name_read(name, decoded)))
		return true;
	return error_set(
		err, ERR_BAD_REQUEST, "a query parameter has the name of a file that the application is told of");
}

bool
reserved_check_query(const struct route *route, const struct head *head, struct error *err)
{
	struct str rest = head_query(head);

	while (route->app.is_said && rest.data != NULL && rest.len > 0) {
		size_t len = 0, name;

		while (len < rest.len && rest.data[len] != '&' && rest.data[len] != ';')
			len++;
		for (name = 0; name < len && rest.data[name] != '=';)
			name++;
		if (!check(route, (struct str){ rest.data, name }, err))
			return false;
		rest.data += len + (len < rest.len);
		rest.len -= len + (len < rest.len);
	}
	return true;
}
