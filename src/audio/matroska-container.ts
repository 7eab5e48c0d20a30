// One track of a Matroska or WebM file, its clusters read by ourselves: the library has opened the file and said
// what is in it, and what it would hold of clusters and indexes is let go. Made by demux.ts, in shards and loaders.
import type { ByteWindow } from './byte-window.js';
import type { Container, ContainerInfo, PacketCursor } from './container.js';
import { MatroskaCues } from './matroska-cues.js';
import { MatroskaCursor, type ClusterTrack } from './matroska-cursor.js';
import type { MatroskaHead } from './matroska-head.js';
import { clusterBefore } from './matroska-search.js';
import { leadOf, opusCursor } from './opus-timeline.js';
import { startingWith, walkTo, type ReadyCursor } from './walk-to.js';

/** A cluster found without an index begins this many seconds before: tracks do not lie side by side exactly. */
const MARGIN = 1;
/** Places of the index that are tried, each further back than the one before. */
const MAX_TRIES = 5;

export class MatroskaContainer implements Container {
  readonly info: ContainerInfo;
  readonly #window: ByteWindow;
  readonly #head: MatroskaHead;
  readonly #track: ClusterTrack;
  #cues: MatroskaCues | null = null;
  /** Samples by which the first packet lies before 0, or null until it is known. */
  #lead: number | null = null;

  private constructor(window: ByteWindow, head: MatroskaHead, track: ClusterTrack, info: ContainerInfo) {
    this.#window = window;
    this.#head = head;
    this.#track = track;
    this.info = info;
  }

  /** The container, or null when that track is one for the library. */
  static of(
    window: ByteWindow,
    head: MatroskaHead,
    number: number,
    info: ContainerInfo,
  ): MatroskaContainer | null {
    const [entry, another] = head.tracks.filter((track) => track.number === number);
    if (entry === undefined || another !== undefined || !entry.plain) return null;
    const { tick, end } = head;
    const { frameSeconds } = entry;
    const opus = info.format.codec === 'opus';
    return new MatroskaContainer(window, head, { number, opus, frameSeconds, tick, end }, info);
  }

  async packets(fromSeconds: number): Promise<PacketCursor> {
    this.#window.walk();
    if (!this.#track.opus) return this.#cursorAt(fromSeconds);
    let beginning: ReadyCursor | null = null;
    if (this.#lead === null) {
      const cursor = this.#cursorFrom(this.#head.clusters);
      const first = await cursor.next();
      this.#lead = leadOf(first);
      beginning = startingWith(first === null ? [] : [{ ...first, data: first.data.slice() }], cursor);
    }
    const open = (seconds: number): Promise<ReadyCursor> =>
      beginning === null || seconds > 0 ? this.#cursorAt(seconds) : Promise.resolve(beginning);
    const cursor = await opusCursor(open, fromSeconds, this.#lead, false);
    return fromSeconds > 0 ? (await walkTo(cursor, fromSeconds)).cursor : cursor;
  }

  close(): void {
    this.#window.close();
  }

  /** From the last packet at or before a time of the container's own. */
  async #cursorAt(seconds: number): Promise<ReadyCursor> {
    if (seconds <= 0) return this.#cursorFrom(this.#head.clusters);
    if (this.#window.seekable) {
      const { cursor, reached } = await this.#jump(seconds);
      if (reached) return cursor;
    }
    return (await walkTo(this.#cursorFrom(this.#head.clusters), seconds)).cursor;
  }

  async #jump(seconds: number): Promise<{ cursor: ReadyCursor; reached: boolean }> {
    const { segment, cues: at, clusters, tick } = this.#head;
    const window = this.#window;
    this.#cues ??= await MatroskaCues.read(window, at, segment, this.#track.number);
    const cues = this.#cues;
    let index = cues.indexAt(seconds / tick);
    // An index may lie, or be about another track.
    for (let tries = 0; tries < MAX_TRIES && index >= 0; tries++) {
      const found = await walkTo(this.#cursorFrom(cues.offsetOf(index)), seconds);
      if (found.reached) return found;
      index -= 2 ** tries;
    }
    const end = window.size === null || cues.length > 0 ? clusters : Math.min(window.size, this.#head.end);
    const offset = await clusterBefore(window, clusters, end, (seconds - MARGIN) / tick);
    return walkTo(this.#cursorFrom(offset), seconds);
  }

  #cursorFrom(offset: number): MatroskaCursor {
    return new MatroskaCursor(this.#window, this.#track, offset);
  }
}
