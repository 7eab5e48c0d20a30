// The words of a driver's Float64Array of counters: what the pacer did and what the adapter had to put
// right. Written by the driver in its shard, read by whoever shares the memory; every word only grows.

/** Upper ends of the lateness buckets in milliseconds; the last bucket has none. */
export const LATE_BUCKETS = [1, 2.5, 5, 10, 20, 40, 100, 400, Infinity] as const;

export const DRIVER = {
  /** Frames of players that left. */
  sent: 0,
  /** Our own silence frames that left. */
  silence: 1,
  /** Times a connection sent two or three frames back to back. */
  bursts: 2,
  /** Slots of 20 ms given up after a stall; the audio is that much later. */
  skipped: 3,
  /** Slots that found an empty queue or ring, though its end had not been said. */
  missed: 4,
  /** Greatest lateness seen, in milliseconds. */
  maxLate: 5,
  /** First of the lateness buckets: frames, silence included. */
  late: 6,
  /** Slots in which a connection waited for its DAVE group. */
  held: 15,
  /** Frames dropped because the DAVE group was still not ready after the wait. */
  withheld: 16,
  /** Frames dropped because the library could not seal or send them. */
  failed: 17,
  /** Messages of a voice server that were ignored, and would have ended the process without that. */
  ignored: 18,
  identifies: 19,
  resumes: 20,
} as const;

export const DRIVER_WORDS = 21;

/** The bucket of LATE_BUCKETS for a frame that left `late` milliseconds after its time. */
export function bucketOf(late: number): number {
  let bucket = 0;
  while (late > (LATE_BUCKETS[bucket] ?? Infinity)) bucket++;
  return bucket;
}

/** Adds one to a word of a counter array. */
export function count(counters: Float64Array, word: number): void {
  counters[word] = (counters[word] ?? 0) + 1;
}
