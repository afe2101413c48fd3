/* The reference pipeline: what the machine gives for the way source - relay - relay - destination where no program has
 * anything to decide. Four processes, three hops of mutual TLS 1.3 on 127.0.0.1, each record sealed by the source and
 * opened by the destination with AES-256-GCM. No store, no acknowledgement, no routing, no header: a frame is a length
 * and that many bytes, and relays do not even look for frames.
 *
 * usage: pipeline CERTDIR SIZE COUNT       CERTDIR holds ca.pem, node.pem and node.key
 *
 * Prints one JSON object. The rate is the destination's, from its first record to its last.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 256 << 10, LENGTH = 4, TAG = 16, NONCE = 12, ROLES = 4 };

static const char *role = "pipeline";

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", role, what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static void *room(size_t bytes) {
    void *memory = malloc(bytes);
    if (!memory) fail("no memory");
    return memory;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- Sockets and TLS, with the settings of our nodes ---- */

static SSL_CTX *context(const char *directory) {
    char ca[4096], certificate[4096], key[4096];
    snprintf(ca, sizeof ca, "%s/ca.pem", directory);
    snprintf(certificate, sizeof certificate, "%s/node.pem", directory);
    snprintf(key, sizeof key, "%s/node.key", directory);
    SSL_CTX *made = SSL_CTX_new(TLS_method());
    if (!made || !SSL_CTX_set_min_proto_version(made, TLS1_3_VERSION) ||
        !SSL_CTX_set_ciphersuites(made, "TLS_AES_256_GCM_SHA384") || !SSL_CTX_set1_groups_list(made, "X25519") ||
        SSL_CTX_use_certificate_file(made, certificate, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(made, key, SSL_FILETYPE_PEM) != 1 || !SSL_CTX_load_verify_locations(made, ca, NULL))
        fail("no TLS context");
    SSL_CTX_set_verify(made, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    /* A ticket that the dialling side never reads would make its close a reset. */
    SSL_CTX_set_num_tickets(made, 0);
    SSL_CTX_set_read_ahead(made, 1);
    SSL_CTX_set_default_read_buffer_len(made, CHUNK);
    return made;
}

static int listener(uint16_t *port) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof here;
    int handle = socket(AF_INET, SOCK_STREAM, 0);
    if (handle < 0 || bind(handle, (struct sockaddr *)&here, length) || listen(handle, 1) ||
        getsockname(handle, (struct sockaddr *)&here, &length))
        fail("cannot listen");
    *port = ntohs(here.sin_port);
    return handle;
}

/* Records are gathered, so that one write(2) carries many of them. */
static SSL *session(SSL_CTX *tls, int handle, int dialled) {
    int on = 1;
    setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL *made = SSL_new(tls);
    BIO *in = BIO_new_socket(handle, BIO_NOCLOSE), *out = BIO_new_socket(handle, BIO_NOCLOSE), *gather = BIO_new(BIO_f_buffer());
    if (!made || !in || !out || !gather || BIO_set_write_buffer_size(gather, CHUNK + (CHUNK >> 3)) != 1) fail("no TLS session");
    SSL_set_bio(made, in, BIO_push(gather, out));
    if ((dialled ? SSL_connect(made) : SSL_accept(made)) != 1) fail("the handshake failed");
    return made;
}

static SSL *dial(SSL_CTX *tls, uint16_t port) {
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int handle = socket(AF_INET, SOCK_STREAM, 0);
    if (handle < 0 || connect(handle, (struct sockaddr *)&there, sizeof there)) fail("cannot connect");
    return session(tls, handle, 1);
}

static SSL *answer(SSL_CTX *tls, int listening) {
    int handle = accept(listening, NULL, NULL);
    if (handle < 0) fail("cannot accept");
    return session(tls, handle, 0);
}

static void send_all(SSL *out, const uint8_t *bytes, size_t count) {
    while (count > 0) {
        int piece = count > (1 << 30) ? 1 << 30 : (int)count;
        int done = SSL_write(out, bytes, piece);
        if (done <= 0) fail("cannot write");
        bytes += done;
        count -= (size_t)done;
    }
    if (BIO_flush(SSL_get_wbio(out)) != 1) fail("cannot write");
}

/* What is there, up to `count` bytes; waits for at least one, and 0 is the end. */
static size_t receive(SSL *in, uint8_t *bytes, size_t count) {
    size_t got = 0;
    do {
        int done = SSL_read(in, bytes + got, (int)(count - got));
        if (done <= 0) break;
        got += (size_t)done;
    } while (got < count && SSL_has_pending(in));
    return got;
}

/* Says that nothing follows, and waits until the other side has read all. */
static void close_after_all(SSL *out) {
    uint8_t byte;
    SSL_shutdown(out);
    (void)BIO_flush(SSL_get_wbio(out));
    shutdown(SSL_get_fd(out), SHUT_WR);
    while (read(SSL_get_fd(out), &byte, 1) > 0) {}
}

/* ---- Records ---- */

static const uint8_t record_key[32] = "only for the reference pipeline";

static EVP_CIPHER_CTX *cipher(int seals) {
    EVP_CIPHER_CTX *made = EVP_CIPHER_CTX_new();
    if (!made || EVP_CipherInit_ex(made, EVP_aes_256_gcm(), NULL, record_key, NULL, seals) != 1) fail("no cipher");
    return made;
}

static void nonce_of(uint64_t number, uint8_t nonce[NONCE]) {
    memset(nonce, 0, NONCE);
    memcpy(nonce, &number, sizeof number);
}

static void seal(EVP_CIPHER_CTX *with, uint64_t number, const uint8_t *plain, size_t size, uint8_t *out) {
    uint8_t nonce[NONCE];
    int done = 0, rest = 0;
    nonce_of(number, nonce);
    if (EVP_EncryptInit_ex(with, NULL, NULL, NULL, nonce) != 1 || EVP_EncryptUpdate(with, out, &done, plain, (int)size) != 1 ||
        EVP_EncryptFinal_ex(with, out + done, &rest) != 1 ||
        EVP_CIPHER_CTX_ctrl(with, EVP_CTRL_AEAD_GET_TAG, TAG, out + size) != 1)
        fail("cannot seal");
}

static void open_sealed(EVP_CIPHER_CTX *with, uint64_t number, const uint8_t *sealed, size_t size, uint8_t *out) {
    uint8_t nonce[NONCE];
    int done = 0, rest = 0;
    nonce_of(number, nonce);
    if (EVP_DecryptInit_ex(with, NULL, NULL, NULL, nonce) != 1 || EVP_DecryptUpdate(with, out, &done, sealed, (int)size) != 1 ||
        EVP_CIPHER_CTX_ctrl(with, EVP_CTRL_AEAD_SET_TAG, TAG, (void *)(sealed + size)) != 1 ||
        EVP_DecryptFinal_ex(with, out + done, &rest) != 1)
        fail("a record cannot be opened");
}

/* ---- The four processes ---- */

static void run_source(SSL_CTX *tls, uint16_t next, size_t size, uint64_t count) {
    size_t frame = LENGTH + size + TAG, most = frame > CHUNK ? frame : CHUNK, held = 0;
    uint8_t *plain = room(size), *out = room(most);
    EVP_CIPHER_CTX *with = cipher(1);
    SSL *to = dial(tls, next);
    memset(plain, 'r', size);
    for (uint64_t number = 0; number < count; number++) {
        if (held + frame > most) {
            send_all(to, out, held);
            held = 0;
        }
        uint32_t length = (uint32_t)(size + TAG);
        memcpy(plain, &number, size < sizeof number ? size : sizeof number);
        memcpy(out + held, &length, LENGTH);
        seal(with, number, plain, size, out + held + LENGTH);
        held += frame;
    }
    send_all(to, out, held);
    close_after_all(to);
}

static void run_relay(SSL_CTX *tls, int listening, uint16_t next) {
    uint8_t *buffer = room(CHUNK);
    SSL *to = dial(tls, next), *from = answer(tls, listening);
    for (size_t got; (got = receive(from, buffer, CHUNK)) > 0;) send_all(to, buffer, got);
    close_after_all(to);
}

static void run_destination(SSL_CTX *tls, int listening, size_t size, uint64_t count, int report) {
    size_t frame = LENGTH + size + TAG, most = frame + CHUNK, held = 0;
    uint8_t *in = room(most), *plain = room(size);
    EVP_CIPHER_CTX *with = cipher(0);
    SSL *from = answer(tls, listening);
    uint64_t number = 0;
    double first = 0, last = 0;
    while (number < count) {
        size_t got = receive(from, in + held, most - held), at = 0;
        if (got == 0) fail("the records end too early");
        for (held += got; held - at >= frame && number < count; at += frame) {
            uint32_t length;
            memcpy(&length, in + at, LENGTH);
            if (length != size + TAG) fail("a frame has the wrong length");
            open_sealed(with, number, in + at + LENGTH, size, plain);
            last = seconds();
            if (number++ == 0) first = last;
        }
        memmove(in, in + at, held -= at);
    }
    double elapsed = last - first;
    if (write(report, &elapsed, sizeof elapsed) != sizeof elapsed) fail("cannot report");
}

int main(int argc, char **argv) {
    size_t size = argc == 4 ? strtoull(argv[2], NULL, 10) : 0;
    uint64_t count = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;
    if (size < 1 || size > (64 << 20) || count < 2) {
        fprintf(stderr, "usage: pipeline CERTDIR SIZE COUNT   (1 byte to 64 MiB, two records or more)\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    SSL_CTX *tls = context(argv[1]);
    /* All ports are listened at before anybody dials. The last process gets what the third sends, and so on. */
    uint16_t ports[ROLES];
    int listening[ROLES], report[2];
    for (int i = 1; i < ROLES; i++) listening[i] = listener(&ports[i]);
    if (pipe(report)) fail("no pipe");
    const char *names[ROLES] = {"source", "first relay", "second relay", "destination"};
    pid_t children[ROLES];
    for (int i = 0; i < ROLES; i++) {
        if ((children[i] = fork()) < 0) fail("cannot fork");
        if (children[i] > 0) continue;
        role = names[i];
        if (i == 0) run_source(tls, ports[1], size, count);
        else if (i < ROLES - 1) run_relay(tls, listening[i], ports[i + 1]);
        else run_destination(tls, listening[i], size, count, report[1]);
        exit(0);
    }
    double cpu = 0;
    int bad = 0;
    for (int left = ROLES; left > 0; left--) {
        int status;
        struct rusage usage;
        pid_t ended = wait4(-1, &status, 0, &usage);
        if ((status != 0) && !bad++)
            for (int i = 0; i < ROLES; i++)
                if (children[i] != ended) kill(children[i], SIGKILL);
        if (ended == children[1] || ended == children[2])
            cpu += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    }
    double elapsed = 0;
    if (bad || read(report[0], &elapsed, sizeof elapsed) != sizeof elapsed) return 1;
    double rate = (double)(count - 1) / (elapsed > 0 ? elapsed : 1e-9);
    printf("{\"bytes\": %zu, \"records\": %llu, \"seconds\": %.6f, \"recordsPerSecond\": %.2f, \"megabytesPerSecond\": %.3f, "
           "\"relayCPU\": %.3f}\n",
           size, (unsigned long long)count, elapsed, rate, rate * (double)size / 1e6, cpu);
    return 0;
}
