/* Both ends of the NATS comparison.
 *
 * usage: nats_client send PORT SIZE COUNT WINDOW RATE     RATE 0 is as fast as acknowledgements let it
 *        nats_client take PORT COUNT PATIENCE             says "ready" first; gives up after so many silent seconds
 *
 * A message begins with its number and the monotonic clock when it was made, 8 bytes each. The sender publishes into a
 * stream and asks for the server's acknowledgement, with WINDOW messages under way at most: what the library's asynchronous
 * publishing does, without its bookkeeping by message. The taker gets what a durable consumer pushes and acknowledges each.
 * Both end with one JSON object.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <nats/nats.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STAMP = 16 };

static void fail(const char *what, natsStatus status) {
    fprintf(stderr, "nats_client: %s: %s\n", what, status == NATS_OK ? "" : natsStatus_GetText(status));
    fflush(stdout);
    _exit(1);
}

static void check(natsStatus status, const char *what) {
    if (status != NATS_OK) fail(what, status);
}

static uint64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void sleep_until(uint64_t time) {
    struct timespec due = {.tv_sec = (time_t)(time / 1000000000), .tv_nsec = (long)(time % 1000000000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR) {}
}

static natsConnection *connected(const char *port) {
    char url[64];
    natsOptions *options = NULL;
    natsConnection *connection = NULL;
    snprintf(url, sizeof url, "nats://127.0.0.1:%s", port);
    check(natsOptions_Create(&options), "options");
    check(natsOptions_SetURL(options, url), "address");
    check(natsConnection_Connect(&connection, options), "cannot connect");
    natsOptions_Destroy(options);
    return connection;
}

static natsSubscription *subscribed(natsConnection *connection, const char *subject, natsMsgHandler handler) {
    natsSubscription *made = NULL;
    check(natsConnection_Subscribe(&made, connection, subject, handler, NULL), "cannot subscribe");
    check(natsSubscription_SetPendingLimits(made, -1, -1), "cannot lift the bound on what is pending");
    check(natsConnection_FlushTimeout(connection, 5000), "the server does not answer");
    return made;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;

static void prepare_waiting(void) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attributes);
}

/* Waits for a signal for a second at most; the lock is held. */
static void wait_a_second(void) {
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    due.tv_sec++;
    pthread_cond_timedwait(&changed, &lock, &due);
}

/* ---- send ---- */

static uint64_t acknowledged, refused, wanted;

static void on_acknowledgement(natsConnection *connection, natsSubscription *subscription, natsMsg *message, void *context) {
    (void)connection, (void)subscription, (void)context;
    /* "No responders" is empty, a refusal by the stream says so. */
    int length = natsMsg_GetDataLength(message);
    int good = length > 0 && !memmem(natsMsg_GetData(message), (size_t)length, "\"error\"", 7);
    natsMsg_Destroy(message);
    pthread_mutex_lock(&lock);
    if (good) acknowledged++;
    else refused++;
    if (acknowledged >= wanted || refused) pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

/* Until so many are acknowledged; a minute without one is a failure. */
static void await_acknowledged(uint64_t count) {
    uint64_t seen = 0;
    int silent = 0;
    pthread_mutex_lock(&lock);
    wanted = count;
    while (acknowledged < count && !refused) {
        wait_a_second();
        silent = acknowledged == seen ? silent + 1 : 0;
        seen = acknowledged;
        if (silent > 60) fail("no acknowledgement for a minute", NATS_TIMEOUT);
    }
    if (refused) fail("a message was refused", NATS_ERR);
    pthread_mutex_unlock(&lock);
}

static int send_all(const char *port, size_t size, uint64_t count, uint64_t window, double rate) {
    char inbox[64];
    natsConnection *connection = connected(port);
    snprintf(inbox, sizeof inbox, "acknowledgements.%d", (int)getpid());
    subscribed(connection, inbox, on_acknowledgement);
    uint8_t *message = malloc(size);
    if (!message || size < STAMP) fail("a message needs 16 bytes", NATS_NO_MEMORY);
    uint32_t mixed = 1;
    for (size_t i = 0; i < size; i++) message[i] = (uint8_t)((mixed = mixed * 1664525 + 1013904223) >> 24);
    uint64_t begun = nanoseconds();
    for (uint64_t number = 0; number < count; number++) {
        if (rate > 0) sleep_until(begun + (uint64_t)((double)number * 1e9 / rate));
        pthread_mutex_lock(&lock);
        int full = number - acknowledged >= window;
        pthread_mutex_unlock(&lock);
        /* A full window is waited out to three quarters, so that the two do not wake each other at every message. */
        if (full) await_acknowledged(number - window + window / 4 + 1);
        uint64_t now = nanoseconds();
        memcpy(message, &number, sizeof number);
        memcpy(message + sizeof number, &now, sizeof now);
        check(natsConnection_PublishRequest(connection, "load", inbox, message, (int)size), "cannot publish");
    }
    await_acknowledged(count);
    printf("{\"acknowledged\": %" PRIu64 "}\n", acknowledged);
    return 0;
}

/* ---- take ---- */

static uint64_t count_of_all, distinct, repeated, strange, first_at, last_at;
static uint8_t *seen;
static uint64_t *latencies;

static void on_message(natsConnection *connection, natsSubscription *subscription, natsMsg *message, void *context) {
    (void)subscription, (void)context;
    uint64_t number = UINT64_MAX, made = 0, now = nanoseconds();
    if (natsMsg_GetDataLength(message) >= STAMP) {
        memcpy(&number, natsMsg_GetData(message), sizeof number);
        memcpy(&made, natsMsg_GetData(message) + sizeof number, sizeof made);
    }
    pthread_mutex_lock(&lock);
    if (number >= count_of_all) strange++;
    else if (seen[number]) repeated++;
    else {
        seen[number] = 1;
        if (distinct == 0) first_at = now;
        last_at = now;
        latencies[distinct++] = now - made;
        if (distinct == count_of_all) pthread_cond_signal(&changed);
    }
    pthread_mutex_unlock(&lock);
    const char *reply = natsMsg_GetReply(message);
    if (reply) natsConnection_Publish(connection, reply, "+ACK", 4);
    natsMsg_Destroy(message);
}

static int by_size(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static double microseconds(double share) {
    uint64_t rank = (uint64_t)(share * (double)distinct);
    return (double)latencies[rank < distinct ? rank : distinct - 1] / 1e3;
}

static int take_all(const char *port, uint64_t count, int patience) {
    count_of_all = count;
    seen = calloc(count, 1);
    latencies = calloc(count, sizeof *latencies);
    if (!seen || !latencies) fail("no memory", NATS_NO_MEMORY);
    natsConnection *connection = connected(port);
    subscribed(connection, "deliveries", on_message);
    printf("ready\n");
    fflush(stdout);
    pthread_mutex_lock(&lock);
    uint64_t before = 0;
    for (int silent = 0; distinct < count && silent < patience; before = distinct) {
        wait_a_second();
        silent = distinct == before ? silent + 1 : 0;
    }
    pthread_mutex_unlock(&lock);
    natsConnection_FlushTimeout(connection, 5000);
    pthread_mutex_lock(&lock);
    double elapsed = (double)(last_at - first_at) / 1e9;
    printf("{\"distinct\": %" PRIu64 ", \"repeated\": %" PRIu64 ", \"strange\": %" PRIu64 ", \"seconds\": %.6f", distinct, repeated,
           strange, elapsed);
    if (distinct > 0) {
        qsort(latencies, distinct, sizeof *latencies, by_size);
        printf(", \"latency\": {\"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"p99.9\": %.1f, \"most\": %.1f}", microseconds(0.5),
               microseconds(0.9), microseconds(0.99), microseconds(0.999), microseconds(1));
    }
    printf("}\n");
    return distinct == count ? 0 : 3;
}

int main(int argc, char **argv) {
    int status = 2;
    prepare_waiting();
    check(nats_Open(-1), "the library does not start");
    if (argc == 7 && !strcmp(argv[1], "send"))
        status = send_all(argv[2], strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10), strtoull(argv[5], NULL, 10), atof(argv[6]));
    else if (argc == 5 && !strcmp(argv[1], "take"))
        status = take_all(argv[2], strtoull(argv[3], NULL, 10), atoi(argv[4]));
    else
        fprintf(stderr, "usage: nats_client send PORT SIZE COUNT WINDOW RATE | take PORT COUNT PATIENCE\n");
    /* Threads of the library still use what a regular end would take down. */
    fflush(stdout);
    _exit(status);
}
