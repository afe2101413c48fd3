#pragma once
#include <uv.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* What Swift cannot import: variadic functions, and names hidden behind _GNU_SOURCE. */

/* accept4 without the GNU name in scope; the prototype is that of accept4(2). */
extern int accept4(int, struct sockaddr *, socklen_t *, int);

static inline int cuv_accept(int listener, struct sockaddr *address, socklen_t *length) {
    return accept4(listener, address, length, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static inline int cuv_socket(int family) {
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static inline int cuv_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

static inline int cuv_unix_datagram(void) { return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0); }

static inline int cuv_deny_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

/* For the calling thread; the kernel keeps 15 bytes. */
static inline int cuv_name_thread(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

static inline int cuv_deny_core_files(void) {
    struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none);
}

enum {
    CUV_TCP_NODELAY = TCP_NODELAY,
    CUV_TCP_USER_TIMEOUT = TCP_USER_TIMEOUT,
    CUV_TCP_KEEPIDLE = TCP_KEEPIDLE,
    CUV_TCP_KEEPINTVL = TCP_KEEPINTVL,
    CUV_TCP_KEEPCNT = TCP_KEEPCNT,
    CUV_TCP_NOTSENT_LOWAT = 25
};
