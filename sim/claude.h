/*
 * A simulated Anthropic Messages API, and chat completions as Ollama and llama.cpp speak them, as
 * strict as the real ones or stricter: headers, every field of the body, order and pairing of
 * messages, the schemas of structured outputs, thinking that must come back unchanged. Answers are
 * scripted, one line each, and given in order; the last stays. The world belongs to one thread.
 */
#ifndef SIM_CLAUDE_H
#define SIM_CLAUDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "sim/host.h"

struct sim_claude;

/* What every new world accepts. */
#define SIM_CLAUDE_KEY "sk-ant-sim01-0123456789abcdefABCDEF"

struct sim_claude *sim_claude_new(const struct clock *clock);
void sim_claude_free(struct sim_claude *sim);

/* One line of a script; false: text says what is wrong with it.
 * The world
 *   key KEY | key none                        (none: chat completions want no key)
 *   model NAME [context=TOKENS] [out=TOKENS] [cache=TOKENS]   (cache: the smallest that is cached)
 *   forget NAME                               an unknown model, or one that is not pulled
 *   ids on|off | calls-say-stop on|off        what chat servers leave out, or call otherwise
 * Answers, each for one request; "N x LINE" gives it N times
 *   say TEXT | json TEXT | think TEXT         (think: thinking, and then the next line's blocks)
 *   call NAME JSON | also NAME JSON           a tool call; one more in the same turn
 *   badcall NAME TEXT                         its arguments are no JSON (chat only)
 *   block JSON                                any block, and then the next line's
 *   pause | cut | refuse CATEGORY | context | stop REASON     (cut: within a tool call)
 *   answer right|wrong|absurd|hostile [NAME=VALUE…]           fills the schema that was asked for
 *   error STATUS [after=TEXT] [after-ms=N] [retry=true|false] [type=T] [code=C] [say=TEXT]
 *   spend | spend400 | html | garbage | truncated | close | empty | silent | slow MS LINE */
bool sim_claude_script(struct sim_claude *sim, const char *line, char *text, size_t size);

void sim_claude_handle(
	struct sim_claude *sim, const struct sim_request *request, struct sim_reply *reply);

/* Requests since the beginning; those that were refused as wrong; the last body; why it was. */
int sim_claude_requests(const struct sim_claude *sim);
int sim_claude_refused(const struct sim_claude *sim);
const char *sim_claude_body(const struct sim_claude *sim);
const char *sim_claude_why(const struct sim_claude *sim);

/* For sim_host_open: a service of this world. */
struct sim_service sim_claude_service(struct sim_claude *sim);
/* `sim-claude SOCKET|PORT [LINE…]`: see sim/server.h. */
int sim_claude_main(int argc, char **argv);

#endif
