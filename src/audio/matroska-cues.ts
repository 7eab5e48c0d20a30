// The index of a Matroska file (RFC 9559 §5.1.5): which cluster to begin with for a time. Read once, at the first
// seek, by matroska-container.ts; two numbers a place, and not without end.
import type { ByteWindow } from './byte-window.js';
import { EBML, eachElement, ElementHead, LONGEST_ELEMENT_HEAD, unsigned } from './ebml.js';

/** Bytes of an index, and places of it that are kept: one a second for eighteen hours. */
const MAX_BYTES = 4 * 1_024 * 1_024;
const MAX_PLACES = 65_536;

export class MatroskaCues {
  readonly #ticks: Float64Array;
  readonly #offsets: Float64Array;

  private constructor(places: readonly (readonly [ticks: number, offset: number])[]) {
    const sorted = [...places].sort(([a], [b]) => a - b);
    this.#ticks = Float64Array.from(sorted, ([ticks]) => ticks);
    this.#offsets = Float64Array.from(sorted, ([, offset]) => offset);
  }

  /** Those of the track if it has some, else all of them; none where there is no index that makes sense. */
  static async read(
    window: ByteWindow,
    at: number | null,
    segment: number,
    track: number,
  ): Promise<MatroskaCues> {
    const head = new ElementHead();
    const own: [number, number][] = [];
    const all: [number, number][] = [];
    const known = at !== null && head.read(await window.read(at, LONGEST_ELEMENT_HEAD), 0);
    if (known && head.id === EBML.cues && head.size >= 0 && head.size <= MAX_BYTES) {
      const content = await window.read(at + head.bytes, head.size);
      eachElement(content, (id, point) => {
        if (id !== EBML.cuePoint) return;
        let ticks = 0;
        eachElement(point, (id, value) => {
          if (id === EBML.cueTime) ticks = unsigned(value, 0, value.length);
          else if (id === EBML.cueTrackPositions) {
            const { number, offset } = positionIn(value, segment);
            if (offset === null || all.length >= MAX_PLACES) return;
            all.push([ticks, offset]);
            if (number === track) own.push([ticks, offset]);
          }
        });
      });
    }
    return new MatroskaCues(own.length > 0 ? own : all);
  }

  get length(): number {
    return this.#ticks.length;
  }

  /** Number of the last place at or before a time; -1 when there is none. */
  indexAt(ticks: number): number {
    let low = 0;
    let high = this.#ticks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ticks[middle] ?? Infinity) <= ticks) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Offset of the cluster. */
  offsetOf(index: number): number {
    return this.#offsets[index] ?? 0;
  }
}

function positionIn(value: Uint8Array, segment: number): { number: number; offset: number | null } {
  let number = 0;
  let offset: number | null = null;
  eachElement(value, (id, inner) => {
    if (id === EBML.cueTrack) number = unsigned(inner, 0, inner.length);
    else if (id === EBML.cueClusterPosition) offset = segment + unsigned(inner, 0, inner.length);
  });
  return { number, offset };
}
