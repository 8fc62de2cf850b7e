/* The smallest thing that runs in a container until it is told to end, or killed. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void on_term(int signal)
{
	(void)signal;
	_exit(0);
}

int main(void)
{
	signal(SIGTERM, on_term);
	for (;;)
		pause();
}
