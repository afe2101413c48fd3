#pragma once
/* The types of the C library must look the same to every module that is imported beside this one. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <openssl/ssl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/crypto.h>

/* Only what Swift cannot reach: function-like macros, typed stacks and errno. */

static inline int gridrelay_tls_only_1_3(SSL_CTX *context) {
    return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1
        && SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1;
}

static inline int gridrelay_tls_set_groups(SSL_CTX *context, const char *names) {
    return (int)SSL_CTX_set1_groups_list(context, names);
}

/* No state outlives a session and nothing is accepted before its handshake ends. */
static inline void gridrelay_tls_forbid_resumption(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION
                                     | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_max_early_data(context, 0);
    SSL_CTX_set_recv_max_early_data(context, 0);
}

static inline void gridrelay_tls_tune(SSL_CTX *context, size_t read_buffer_bytes, long peer_chain_bytes) {
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                                  | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, read_buffer_bytes);
    SSL_CTX_set_max_cert_list(context, peer_chain_bytes);
}

static inline int gridrelay_bio_flush(BIO *bio) { return (int)BIO_flush(bio); }
static inline int gridrelay_bio_write_buffer(BIO *bio, int bytes) { return (int)BIO_set_write_buffer_size(bio, bytes); }

static inline size_t gridrelay_bio_memory(BIO *bio, const void **bytes) {
    char *data = NULL;
    long length = BIO_get_mem_data(bio, &data);
    *bytes = data;
    return length > 0 ? (size_t)length : 0;
}

/* The number of URIs among the subject's alternative names. The first is copied to `text`, cut to `capacity`;
   `length` is its full length. A certificate with two such extensions counts as one with none. */
static inline int gridrelay_certificate_uris(const X509 *certificate, void *text, size_t capacity, size_t *length) {
    GENERAL_NAMES *names = (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int count = 0;
    *length = 0;
    if (names == NULL) return 0;
    for (int index = 0; index < sk_GENERAL_NAME_num(names); index++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
        if (name->type != GEN_URI) continue;
        if (count++ > 0) continue;
        const ASN1_STRING *uri = name->d.uniformResourceIdentifier;
        *length = (size_t)ASN1_STRING_length(uri);
        if (*length > 0) memcpy(text, ASN1_STRING_get0_data(uri), *length < capacity ? *length : capacity);
    }
    GENERAL_NAMES_free(names);
    return count;
}

static inline void gridrelay_extension_context(X509V3_CTX *context, X509 *issuer, X509 *subject) {
    X509V3_set_ctx(context, issuer, subject, NULL, NULL, 0);
    X509V3_set_ctx_nodb(context);
}

static inline void gridrelay_errno_clear(void) { errno = 0; }
static inline int gridrelay_errno(void) { return errno; }

/* 0 for an empty queue and for an error of the operating system. */
static inline int gridrelay_error_reason(unsigned long code) {
    return code == 0 || ERR_SYSTEM_ERROR(code) ? 0 : ERR_GET_REASON(code);
}

/* RFC 2253 without its backward order; control characters are escaped. */
static inline unsigned long gridrelay_name_flags(void) { return XN_FLAG_RFC2253 & ~XN_FLAG_DN_REV; }
