# SPDX-License-Identifier: MIT
# Run by cpack on the staged tree: what Debian's policy asks for beyond the install rules.
file(GLOB_RECURSE pages ${CPACK_TEMPORARY_DIRECTORY}/penstock*.[15])
foreach(page ${pages})
	execute_process(COMMAND gzip -9nf ${page} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
file(GLOB_RECURSE licences ${CPACK_TEMPORARY_DIRECTORY}/LICENSE) # stands in `copyright`
foreach(licence ${licences})
	file(REMOVE ${licence})
endforeach()
