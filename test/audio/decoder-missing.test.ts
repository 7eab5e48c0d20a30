// A machine without FFmpeg's bindings: importing works, WAV and Opus play, the rest says what is missing.
import Module from 'node:module';
import t from 'tap';

interface Resolver {
  _resolveFilename: (request: string, ...rest: unknown[]) => string;
}

t.test('without the bindings only what needs them fails, with a code', { timeout: 20_000 }, async (t) => {
  const resolver = Module as unknown as Resolver;
  const original = resolver._resolveFilename;
  resolver._resolveFilename = (request, ...rest) => {
    if (request.startsWith('node-av'))
      throw Object.assign(new Error('not here'), { code: 'MODULE_NOT_FOUND' });
    return original(request, ...rest);
  };
  t.teardown(() => {
    resolver._resolveFilename = original;
  });
  const { openDecoder } = await import('../../src/audio/open-decoder.js');
  const { Pipeline } = await import('../../src/audio/pipeline.js');
  const settings = { volume: 100, filters: {}, complexity: 0, bitrate: 64_000, resampling: 'LOW' } as const;
  const format = { sampleRate: 48_000, channels: 2, description: null } as const;
  for (const codec of ['mp3', 'aac', 'flac', 'vorbis'] as const) {
    t.throws(() => openDecoder({ ...format, codec }), { code: 'PUM_DECODER_MISSING', parameters: { codec } });
  }
  const pipeline = new Pipeline({ ...format, codec: 'pcm-s16' }, settings, 0);
  t.equal(pipeline.push({ data: new Uint8Array(48_000 * 4), time: 0, duration: 1 }), 0);
  t.ok(pipeline.frame(new Uint8Array(1_275)) > 0);
  pipeline.close();
  new Pipeline({ ...format, codec: 'opus' }, settings, 0).close();
});
