#include "watch/docker_classify.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

bool docker_is_stop_signal(int signal, const char *stop_signal)
{
	if (signal == SIGTERM || signal == SIGKILL || signal == SIGINT || signal == SIGQUIT)
		return true;
	if (str_starts(stop_signal, "SIG"))
		stop_signal += 3;
	char number[12];
	STR_FORMAT(number, "%d", signal);
	if (strcmp(number, stop_signal) == 0)
		return true;
	/* the C library names no real-time signals; the engine counts them from 34 */
	if (str_starts(stop_signal, "RTMIN"))
		return signal == 34 + (stop_signal[5] == '+' ? strtol(stop_signal + 6, NULL, 10) : 0);
	return sigabbrev_np(signal) != NULL && strcmp(sigabbrev_np(signal), stop_signal) == 0;
}

static bool policy_restarts(const struct docker_container *container)
{
	return strcmp(container->policy, "always") == 0 ||
		strcmp(container->policy, "unless-stopped") == 0;
}

enum stop_cause docker_classify(
	const struct docker_container *container, const struct ending *ending)
{
	/* The engine stops its containers before it ends: when all were asked to stop and then the
	 * engine was gone, no person meant them. One alone was a person's, loss or no loss. A death
	 * that was seen and not asked for is its own. What ran until the loss is wanted, whatever it
	 * ended with: 0 proves only that it ends cleanly. */
	if (ending->engine_lost && (ending->stop_asked ? ending->all_stopped : !ending->died))
		return STOP_ENGINE;
	/* A start that failed was wanted by whoever asked for it; it may have been a restart's second
	 * half, whose first half asked it to stop. */
	if (container->error[0] != '\0')
		return STOP_CRASH;
	if (ending->stop_asked)
		return STOP_PERSON;
	/* The kernel's hand is not a person's, seen or not. */
	if (container->oom_killed || ending->oom)
		return STOP_CRASH;
	/* "restart: always" and still down: the engine tried to start it and failed, or a person
	 * stopped it (which the engine remembers as we would). */
	if (policy_restarts(container))
		return ending->died ? STOP_CRASH : STOP_PERSON;
	/* on-failure: the engine has used its retries up. */
	if (strcmp(container->policy, "on-failure") == 0 && container->exit_code != 0 &&
		container->max_retries > 0 && container->restart_count >= container->max_retries)
		return STOP_CRASH;
	if (ending->died)
		return container->exit_code == 0 ? STOP_DONE : STOP_CRASH;
	/* Nobody saw it. 0 with nobody who wants it back is how a one-shot ends, and how many services
	 * end when a person stops them: neither wants us. */
	return container->exit_code == 0 ? STOP_DONE : STOP_UNSEEN;
}
