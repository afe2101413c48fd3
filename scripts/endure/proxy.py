"""Stands between two relays and breaks their connection on demand. TLS goes through it untouched."""
import os, selectors, socket, struct, threading


class FaultProxy:
    """Carries connections from `port` to `target` on a thread of its own, until they are cut or it is closed."""

    # Bytes taken at once, and bytes that may wait for a side that does not read before the other is read no more.
    CHUNK = 256 << 10

    def __init__(self, port, target):
        self.port, self.target = port, target
        self.cuts = 0
        self.is_cut = self._is_closed = False
        self._listening = socket.create_server(("127.0.0.1", port), backlog=64)
        self._listening.setblocking(False)
        self._bell = os.pipe()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._bell[0], selectors.EVENT_READ, None)
        self._selector.register(self._listening, selectors.EVENT_READ, None)
        # Socket → the other end, and bytes that wait to be written to it.
        self._other, self._waiting = {}, {}
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut(self):
        """Resets all connections, new ones too, until `heal`."""
        self.cuts += 1
        self._change(is_cut=True)

    def heal(self):
        self._change(is_cut=False)

    def close(self):
        self._change(is_closed=True)
        self._thread.join()

    def _change(self, is_cut=None, is_closed=False):
        if is_cut is not None:
            self.is_cut = is_cut
        self._is_closed = self._is_closed or is_closed
        os.write(self._bell[1], b"!")

    # What follows runs on the proxy's thread.

    def _run(self):
        while not self._is_closed:
            for key, events in self._selector.select():
                if key.fileobj == self._bell[0]:
                    os.read(self._bell[0], 64)
                elif key.fileobj is self._listening:
                    self._accept()
                elif key.fileobj in self._other:
                    self._carry(key.fileobj, events)
            if self.is_cut:
                self._reset_all()
        self._reset_all()
        self._selector.close()
        self._listening.close()
        for end in self._bell:
            os.close(end)

    def _accept(self):
        try:
            near, _ = self._listening.accept()
        except OSError:
            return
        if self.is_cut:
            return self._abort(near)
        far = socket.socket()
        try:
            far.connect(("127.0.0.1", self.target))
        except OSError:
            far.close()
            return self._abort(near)
        for one, other in ((near, far), (far, near)):
            one.setblocking(False)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._other[one], self._waiting[one] = other, b""
            self._selector.register(one, selectors.EVENT_READ)

    def _carry(self, end, events):
        other = self._other[end]
        try:
            if events & selectors.EVENT_WRITE:
                self._waiting[end] = self._waiting[end][end.send(self._waiting[end]):]
            if events & selectors.EVENT_READ and not self._waiting[other]:
                taken = end.recv(self.CHUNK)
                if not taken:
                    return self._reset(end)
                sent = self._try_send(other, taken)
                self._waiting[other] = taken[sent:]
        except BlockingIOError:
            pass
        except OSError:
            return self._reset(end)
        self._register(end)
        self._register(other)

    @staticmethod
    def _try_send(end, chunk):
        try:
            return end.send(chunk)
        except BlockingIOError:
            return 0

    def _register(self, end):
        wanted = 0 if self._waiting[self._other[end]] else selectors.EVENT_READ
        wanted |= selectors.EVENT_WRITE if self._waiting[end] else 0
        known = self._selector.get_map().get(end)
        if known is None and wanted:
            self._selector.register(end, wanted)
        elif known is not None and not wanted:
            self._selector.unregister(end)
        elif known is not None and known.events != wanted:
            self._selector.modify(end, wanted)

    def _reset_all(self):
        while self._other:
            self._reset(next(iter(self._other)))

    def _reset(self, end):
        for one in (end, self._other[end]):
            if one in self._selector.get_map():
                self._selector.unregister(one)
            del self._other[one], self._waiting[one]
            self._abort(one)

    @staticmethod
    def _abort(end):
        """Closes with a reset, as a firewall does that wants no more of a connection."""
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.close()
