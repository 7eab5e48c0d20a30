// One demuxed, still compressed packet, as it lies in the packet window.

export interface Packet {
  readonly data: Uint8Array;
  /** Source time of its first sample in seconds, as the container says (codec delay not removed). */
  readonly time: number;
  /** Seconds of audio in it; 0 when the container does not say. */
  readonly duration: number;
}
