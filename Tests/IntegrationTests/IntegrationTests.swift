import Testing

/// Real processes on real sockets. One test at a time: each wants the machine for itself.
@Suite(.serialized) struct IntegrationTests {}
