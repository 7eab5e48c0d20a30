// Puts a shard together from what main has handed over (guard, sources, driver) and runs it until it is
// drained. The worker entry calls it; a test's entry calls it and then misbehaves on command, so that no
// such command exists in the product.
import { loadDemuxer, openContainer } from '../audio/open-container.js';
import type { Container } from '../audio/container.js';
import { Channel } from '../shared/channel.js';
import { systemClock } from '../shared/clock.js';
import { ShardCounters } from '../shared/counters.js';
import { PlayerTable } from '../shared/player-table.js';
import { ServerError } from '../shared/errors.js';
import { DISPATCH } from '../shared/limits.js';
import type { PlayerCommand, ShardCommand } from '../shared/shard-commands.js';
import type { ShardNotice } from '../shared/shard-events.js';
import type { SenderLink, ShardTask } from '../shared/shard-task.js';
import { nameThread } from '../shared/thread-name.js';
import { setThreadPriority } from '../shared/thread-priority.js';
import { decodeTrack } from '../shared/track-token.js';
import { createDriver } from './create-driver.js';
import { Shard } from './shard.js';
import { AllowList } from './source/address.js';
import { Guard } from './source/guard.js';
import { buildRegistry, type SourceRegistry } from './source/registry.js';
import { sourceSettings } from './source/settings.js';
import { voiceGuard } from './voice/guarded-endpoint.js';

/** When the demuxer library is loaded, unless a track needs it before: the server's start is over by then. */
const LOAD_LATER_MS = 1_000;

export async function runShard(task: ShardTask, threadId: number): Promise<void> {
  nameThread(`pumice-s${String(task.index)}`);
  setThreadPriority(task.nice);
  const { config } = task;
  const clock = systemClock;
  const counters = new ShardCounters(task.counters);
  const guard = new Guard({ allow: new AllowList(config['pumice.sources.allowPrivate']), clock });
  const registry = buildRegistry(sourceSettings(config), guard, clock);
  const { driver, link } = await createDriver({
    task,
    clock,
    counters,
    guard: voiceGuard(guard, config['pumice.voice.endpoints']),
  });
  let drained: () => void = () => undefined;
  const life = new Promise<void>((resolve) => {
    drained = resolve;
  });
  const shard = new Shard({
    clock,
    counters,
    tables: task.tables.map((buffer) => new PlayerTable(buffer)),
    driver,
    openTrack: (token, signal) => openTrack(registry, token, signal),
    audio: {
      complexity: config['lavalink.server.opusEncodingQuality'],
      bitrate: config['pumice.audio.bitrate'],
      resampling: config['lavalink.server.resamplingQuality'],
      windowMs: config['lavalink.server.frameBufferDurationMs'],
      bufferMs: config['lavalink.server.bufferDurationMs'],
      ghosting: config['lavalink.server.useSeekGhosting'],
      stuckMs: config['lavalink.server.trackStuckThresholdMs'],
    },
    notify: (notice) => {
      channel.notify(notice);
    },
    // Of a worker thread these two are its own; rss and arrayBuffers are the process's.
    memory: () => process.memoryUsage(),
  });
  const channel = new Channel(
    task.port,
    {
      request: (command) => shard.command(command as PlayerCommand),
      notice: (notice) => {
        if ((notice as ShardCommand).op === 'drain') drained();
      },
      shared: (thing) => {
        if (thing instanceof SharedArrayBuffer) shard.addTable(new PlayerTable(thing));
        else link(thing as SenderLink);
      },
      // Main is gone, or speaks nonsense: nothing is left to play for.
      broken: drained,
    },
    { clock, maxInFlight: DISPATCH.maxInFlightPerShard, perTurn: config['pumice.tokio.globalQueueInterval'] },
  );
  await driver.prepare();
  channel.notify({ kind: 'ready', threadId } satisfies ShardNotice);
  const later = clock.after(LOAD_LATER_MS, () => {
    // Whoever needs it and does not get it hears of that.
    loadDemuxer().catch(() => undefined);
  });
  await life;
  later.cancel();
  shard.close();
  channel.close();
}

async function openTrack(registry: SourceRegistry, token: string, signal: AbortSignal): Promise<Container> {
  const track = decodeTrack(token);
  const source = registry.get(track.info.sourceName);
  if (!source) throw new ServerError('PUM_TOKEN_SOURCE');
  const media = await source.open(track, signal);
  try {
    return await openContainer(media.bytes, media.hint, signal);
  } catch (thrown) {
    media.bytes.close();
    throw thrown;
  }
}
