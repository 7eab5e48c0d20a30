// The send ring between a shard, which seals packets ahead, and a sender, which puts them on the wire: what other
// files use of it. The protocol is architecture.md §3, "The send ring can be revoked"; no lock, no message.
export { createSlab, type SlabLayout } from './ring-slab.js';
export { Mark, RingControl } from './ring-words.js';
export { RingReader } from './ring-reader.js';
export { RingWriter } from './ring-writer.js';
