#pragma once
#include <stdint.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <microhttpd.h>
