/*
 * The tools of homeostat as an MCP server, for mcp.c only: a table of what each is called, takes
 * and reads. All of them only read, but for propose, which asks a person.
 */
#ifndef REPORT_MCP_TOOLS_H
#define REPORT_MCP_TOOLS_H

#include "base/json.h"
#include "report/mcp.h"

struct mcp_tool_info;

const struct mcp_tool_info *mcp_tools_find(const char *name);
/* "tools": […] */
void mcp_tools_put(struct json_out *out);
/* The members of a result: content, structuredContent, isError. Arguments that are wrong are an
 * error of the tool, so that a model can mend them. */
void mcp_tools_call(const struct mcp_host *host, const struct mcp_tool_info *tool,
	struct json arguments, struct json_out *out, struct arena *arena);

#endif
