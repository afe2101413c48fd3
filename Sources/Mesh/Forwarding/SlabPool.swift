import Envelope
import Link

/// Where the bytes of one envelope lie in a ``SlabPool``.
struct Block: Equatable {
    var slab: Int32
    var offset: UInt32
    var length: UInt32

    static let none = Block(slab: -1, offset: 0, length: 0)
    var isNone: Bool { slab < 0 }
}

/// Memory for envelopes under way: blocks are cut from large slabs, and a slab is used again once all its blocks
/// are gone. No allocation per envelope in steady state, no fragmentation within a slab.
///
/// A block that stays long pins its slab; where little pins much (``isSparse``) the owner moves what is left.
struct SlabPool: ~Copyable {
    private struct Slab {
        var base: UnsafeMutableRawPointer?
        var capacity: Int
        var used = 0
        var blocks = 0
        /// Bytes of the blocks still held.
        var held = 0
        /// For one envelope.
        var isOwn = false
    }

    /// Bytes of an ordinary slab. An envelope longer than a quarter of it gets a slab of its own.
    static let slabBytes = 1 << 20
    /// Bytes of empty slabs kept for the next envelopes; more goes back to the system. Twice what a link's credit lets in:
    /// with less, memory that comes and goes leaves holes, and a busy process grows by more than is spared here.
    static let spareBytes = 32 << 20

    private var slabs: [Slab] = []
    private var vacant: [Int32] = []
    private var spare: [Int32] = []
    private var current: Int32 = -1
    private var bytesSpare = 0
    /// Bytes of all blocks handed out.
    private(set) var bytesHeld = 0
    /// Bytes of all slabs, used or spare.
    private(set) var bytesReserved = 0
    /// Bytes of blocks in slabs that are not their own, and of such slabs.
    private var sharedHeld = 0
    private var sharedReserved = 0

    /// Gives the memory back with the pool. A class does it, since Swift 6.3's optimiser crashes on the deinit of a
    /// noncopyable struct inside another module's property.
    private final class Keeper {
        var bases: [UnsafeMutableRawPointer?] = []

        deinit { for base in bases { base?.deallocate() } }
    }

    private let keeper = Keeper()

    mutating func allocate(_ bytes: UnsafeRawBufferPointer) -> Block {
        let index = slab(withRoom: bytes.count)
        let offset = slabs[index].used
        if let base = slabs[index].base, let source = bytes.baseAddress {
            (base + offset).copyMemory(from: source, byteCount: bytes.count)
        }
        // Eight-byte steps keep headers aligned.
        slabs[index].used += (bytes.count + 7) & ~7
        slabs[index].blocks += 1
        slabs[index].held += bytes.count
        bytesHeld += bytes.count
        if !slabs[index].isOwn { sharedHeld += bytes.count }
        return Block(slab: Int32(index), offset: UInt32(offset), length: UInt32(bytes.count))
    }

    /// Lends a slab for an envelope that is still to come: then it need not be copied. What is written to it becomes a block
    /// with ``keep(_:_:)``, or it goes back with ``giveBack(_:)``.
    /// - Returns: nil for one that is too short for a slab of its own.
    mutating func lend(_ bytes: Int) -> EnvelopePlace? {
        guard bytes > Self.slabBytes / 8 else { return nil }
        let number = fresh(capacity: roundedUp(bytes), isOwn: true)
        return slabs[Int(number)].base.map { EnvelopePlace(base: $0, number: number) }
    }

    mutating func keep(_ number: Int32, _ bytes: Int) -> Block {
        let index = Int(number)
        slabs[index].used = (bytes + 7) & ~7
        slabs[index].blocks = 1
        slabs[index].held = bytes
        bytesHeld += bytes
        return Block(slab: number, offset: 0, length: UInt32(bytes))
    }

    mutating func giveBack(_ number: Int32) { retire(number) }

    /// The slab of a block that has one of its own.
    func ownSlab(of block: Block) -> Int32? { slabs[Int(block.slab)].isOwn ? block.slab : nil }

    /// The bytes in a slab stay, whatever becomes of its block, until it is unpinned as often.
    mutating func pin(_ number: Int32) { slabs[Int(number)].blocks += 1 }

    mutating func unpin(_ number: Int32) { letGo(Int(number)) }

    /// The block's bytes; valid until it is freed.
    func bytes(of block: Block) -> UnsafeRawBufferPointer {
        let base = slabs[Int(block.slab)].base.map { UnsafeRawPointer($0 + Int(block.offset)) }
        return UnsafeRawBufferPointer(start: base, count: Int(block.length))
    }

    mutating func free(_ block: Block) {
        let index = Int(block.slab)
        bytesHeld -= Int(block.length)
        slabs[index].held -= Int(block.length)
        if !slabs[index].isOwn { sharedHeld -= Int(block.length) }
        letGo(index)
    }

    private mutating func letGo(_ index: Int) {
        slabs[index].blocks -= 1
        guard slabs[index].blocks == 0 else { return }
        slabs[index].used = 0
        if index != Int(current) { retire(Int32(index)) }
    }

    /// Far more memory is held up by blocks in common slabs than they have bytes.
    var isSparse: Bool { sharedReserved > 2 * sharedHeld + Limits.sparseBytes }

    /// True for a block in a slab that is mostly holes; such a block may be moved.
    func isThin(_ block: Block) -> Bool {
        guard block.slab >= 0, block.slab != current else { return false }
        let slab = slabs[Int(block.slab)]
        return slab.held * 2 < slab.capacity
    }

    /// Moves a block's bytes to the slab being filled.
    mutating func move(_ block: Block) -> Block {
        let moved = allocate(bytes(of: block))
        free(block)
        return moved
    }

    private mutating func slab(withRoom bytes: Int) -> Int {
        if bytes > Self.slabBytes / 4 { return Int(fresh(capacity: roundedUp(bytes), isOwn: true)) }
        if current >= 0 {
            let slab = slabs[Int(current)]
            if slab.capacity - slab.used >= bytes + 7 { return Int(current) }
            if slab.blocks == 0 {
                slabs[Int(current)].used = 0
                return Int(current)
            }
        }
        current = fresh(capacity: Self.slabBytes, isOwn: false)
        return Int(current)
    }

    /// Large envelopes come in few sizes, so that a slab of one fits the next: four steps for each doubling.
    private func roundedUp(_ bytes: Int) -> Int {
        var base = Self.slabBytes / 4
        while base * 2 < bytes + 7 { base *= 2 }
        let step = base / 4
        return (bytes + 7 + step - 1) / step * step
    }

    private mutating func fresh(capacity: Int, isOwn: Bool) -> Int32 {
        if !isOwn { sharedReserved += capacity }
        if let place = spare.lastIndex(where: { slabs[Int($0)].capacity == capacity }) {
            bytesSpare -= capacity
            let index = spare.remove(at: place)
            slabs[Int(index)].isOwn = isOwn
            return index
        }
        bytesReserved += capacity
        let slab = Slab(base: .allocate(byteCount: capacity, alignment: 64), capacity: capacity, isOwn: isOwn)
        if let index = vacant.popLast() {
            slabs[Int(index)] = slab
            keeper.bases[Int(index)] = slab.base
            return index
        }
        slabs.append(slab)
        keeper.bases.append(slab.base)
        return Int32(slabs.count - 1)
    }

    private mutating func retire(_ index: Int32) {
        let capacity = slabs[Int(index)].capacity
        if !slabs[Int(index)].isOwn { sharedReserved -= capacity }
        guard bytesSpare + capacity > Self.spareBytes else {
            bytesSpare += capacity
            spare.append(index)
            return
        }
        slabs[Int(index)].base?.deallocate()
        slabs[Int(index)] = Slab(base: nil, capacity: 0)
        keeper.bases[Int(index)] = nil
        bytesReserved -= capacity
        vacant.append(index)
    }
}
