#pragma once
#include <stdint.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <microhttpd.h>

/* MHD_start_daemon is variadic, which Swift cannot call. A thread for each connection, so that a handler may
   block; the socket is already bound and listening. Returns NULL where the daemon cannot start. */
static inline struct MHD_Daemon *relay_mhd_start(int listening, unsigned int connections,
                                                 unsigned int idle_seconds, MHD_AccessHandlerCallback handler,
                                                 MHD_RequestCompletedCallback completed, void *context) {
    return MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0,
                            NULL, NULL, handler, context,
                            MHD_OPTION_LISTEN_SOCKET, listening,
                            MHD_OPTION_CONNECTION_LIMIT, connections,
                            MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds,
                            MHD_OPTION_NOTIFY_COMPLETED, completed, context,
                            MHD_OPTION_END);
}
