// Reads the few header fields of a media answer that matter. Pure; used by the http files beside it. What an
// origin says is only ever believed as far as it can be checked.

export type HttpHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** `Content-Range: bytes from-to/size`. */
export interface ContentRange {
  readonly from: number;
  /** Total bytes, or null for `*`. */
  readonly size: number | null;
}

/** Longest title or author taken from a header; a token has to hold it. */
const MAX_NAME = 512;

/** The value of a field (lower-case name), the first one if it is repeated; null when absent or blank. */
export function headerOf(headers: HttpHeaders, name: string): string | null {
  const value = headers[name];
  const first = typeof value === 'string' ? value : value?.[0];
  const text = first?.trim() ?? '';
  return text === '' ? null : text;
}

/** Content-Length as a number, or null when it is absent or no number. */
export function lengthOf(headers: HttpHeaders): number | null {
  return wholeNumber(headerOf(headers, 'content-length'));
}

/** The media type without parameters, lower case, or null. */
export function contentTypeOf(headers: HttpHeaders): string | null {
  const type = headerOf(headers, 'content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  return type === '' ? null : type;
}

/** Whether the body is sent as it is: any coding but identity is refused, so that no bomb is ever inflated. */
export function isPlain(headers: HttpHeaders): boolean {
  const coding = headerOf(headers, 'content-encoding');
  return coding === null || coding.toLowerCase() === 'identity';
}

/** Content-Range of a 206, or null when it is absent or makes no sense. */
export function contentRangeOf(headers: HttpHeaders): ContentRange | null {
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i.exec(headerOf(headers, 'content-range') ?? '');
  if (match === null) return null;
  const from = wholeNumber(match[1] ?? null);
  const to = wholeNumber(match[2] ?? null);
  const size = match[3] === '*' ? null : wholeNumber(match[3] ?? null);
  if (from === null || to === null || to < from || (size !== null && to >= size)) return null;
  return { from, size };
}

/** The size in `Content-Range: bytes * /size` of a 416 (without the blank), or null. */
export function unsatisfiedSizeOf(headers: HttpHeaders): number | null {
  return wholeNumber(/^bytes \*\/(\d+)$/i.exec(headerOf(headers, 'content-range') ?? '')?.[1] ?? null);
}

/** What If-Range may carry: a strong entity tag, else the date of change, else null. */
export function validatorOf(headers: HttpHeaders): string | null {
  const tag = headerOf(headers, 'etag');
  return tag !== null && !tag.startsWith('W/') ? tag : headerOf(headers, 'last-modified');
}

/** Whether the answer speaks the radio dialect (Icecast, SHOUTcast). */
export function isIcy(headers: HttpHeaders): boolean {
  return ['icy-name', 'icy-br', 'icy-metaint', 'icy-genre', 'icy-pub'].some(
    (name) => headers[name] !== undefined,
  );
}

/** Title and author as a radio station names itself. */
export function stationOf(headers: HttpHeaders): {
  readonly title: string | null;
  readonly author: string | null;
} {
  const title = headerOf(headers, 'icy-name');
  const author = headerOf(headers, 'icy-description') ?? headerOf(headers, 'icy-url');
  return { title: title?.slice(0, MAX_NAME) ?? null, author: author?.slice(0, MAX_NAME) ?? null };
}

/** The extension of a path's last segment, lower case, without the dot, or null. */
export function extensionOf(path: string): string | null {
  return /\.([a-z0-9]{1,8})$/i.exec(path)?.[1]?.toLowerCase() ?? null;
}

function wholeNumber(text: string | null): number | null {
  if (text === null || !/^\d{1,15}$/.test(text)) return null;
  return Number(text);
}
