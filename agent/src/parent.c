/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* sigaction */
#include "parent.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static pid_t parent;

/* The signal also comes when the thread that started the agent ends; only a new parent means that the old one is dead. */
static void end_with_parent(int number)
{
    (void)number;
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
}

void live_with_parent(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = end_with_parent;
    action.sa_flags = SA_RESTART;
    if (parent == 0)
        parent = getppid();
    (void)sigaction(SIGUSR2, &action, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGUSR2);
    /* It may have died before it was asked for. */
    end_with_parent(SIGUSR2);
}
