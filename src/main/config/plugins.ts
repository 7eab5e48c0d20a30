// What an operator loses with a plugin of the Java server, for the notice about it (settings-and-metrics.md §5).
// Keyed by the artefact's name in `group:name:version`. Main thread, at start only.

const PLUGINS: ReadonlyMap<string, string> = new Map([
  ['youtube-plugin', 'the source youtube'],
  ['lavasrc-plugin', 'the sources spotify, applemusic, deezer, yandexmusic and others'],
  ['lavasearch-plugin', 'the search route /v4/loadsearch'],
  ['lavalyrics-plugin', 'the lyrics routes'],
  ['java-lyrics-plugin', 'the lyrics routes'],
  ['sponsorblock-plugin', 'the segments of SponsorBlock'],
  ['skybot-lavalink-plugin', 'the sources mixcloud, ocremix, clypit, reddit, getyarn, tts and others'],
  ['lavadspx-plugin', 'the filters high-pass, low-pass, normalization and echo'],
  ['lavalink-filter-plugin', 'the filters echo and reverb'],
]);

/** What is missing without the plugin of this dependency, or null where it is not known. */
export function findPlugin(dependency: string): string | null {
  return PLUGINS.get(dependency.split(':')[1] ?? '') ?? null;
}
