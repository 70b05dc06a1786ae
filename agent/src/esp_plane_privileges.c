/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* setresuid, setgroups */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "esp_plane.h"
#include "parent.h"
#include "parent.h"

/* What can never be had again; this takes a privilege itself, and so comes first. */
static void bound_capabilities(void)
{
    for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

/* Every capability of every other set; libcap is not needed for so little. */
static bool drop_capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct nothing[_LINUX_CAPABILITY_U32S_3];

    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    memset(nothing, 0, sizeof nothing);
    return syscall(SYS_capset, &header, nothing) == 0;
}

bool drop_privileges(bool has_uid, uint32_t uid, bool has_gid, uint32_t gid, struct failure *failure)
{
    static const struct rlimit no_core = {0, 0};

    /* A core file would hold keys. */
    (void)setrlimit(RLIMIT_CORE, &no_core);
    bound_capabilities();
    if (has_gid && ((geteuid() == 0 && setgroups(0, NULL) != 0 && errno != EPERM) || setresgid(gid, gid, gid) != 0))
        return fail(failure, FAILURE_FAILED, "cannot become group %u: %s", gid, strerror(errno));
    if (has_uid && setresuid(uid, uid, uid) != 0)
        return fail(failure, FAILURE_FAILED, "cannot become user %u: %s", uid, strerror(errno));
    live_with_parent();
    if (!drop_capabilities())
        return fail(failure, FAILURE_FAILED, "cannot give up capabilities: %s", strerror(errno));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail(failure, FAILURE_FAILED, "cannot give up new privileges: %s", strerror(errno));
    live_with_parent();
    return true;
}
