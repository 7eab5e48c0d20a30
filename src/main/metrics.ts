// The Prometheus page (settings-and-metrics.md §6): Lavalink's own gauges, the guide's families that main can
// count, and the process's. The only file that uses prom-client; it keeps nothing and reads tallies, sessions
// and shard reports when it is scraped. Labels come from closed sets. Main thread.
import { collectDefaultMetrics, Counter, Gauge, Registry, type Metric } from 'prom-client';
import { LATE_BUCKETS } from '../shared/driver-words.js';
import type { ShardReport } from './dispatch/fleet.js';
import { LatenessHistogram } from './lateness-histogram.js';
import type { Node } from './node.js';
import type { SessionRegistry } from './session-registry.js';
import type { Tally } from './tally.js';

export interface MetricsSources {
  readonly node: Node;
  readonly sessions: SessionRegistry;
  /** HTTP requests being handled now. */
  readonly inFlight: () => number;
}

/** Milliseconds between two looks at the event loop's delay: the default of 10 would wake an idle server. */
const LOOP_PRECISION = 100;

export class Metrics {
  readonly #registry = new Registry();
  readonly #sources: MetricsSources;

  constructor(sources: MetricsSources) {
    this.#sources = sources;
    this.#lavalink();
    this.#counters();
    this.#shards();
    this.#sessions();
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: LOOP_PRECISION });
  }

  /** The page, or of it the families named. */
  async page(names: readonly string[]): Promise<string> {
    if (names.length === 0) return this.#registry.metrics();
    const present = names.filter((name) => this.#registry.getSingleMetric(name) !== undefined);
    const parts = await Promise.all(
      [...new Set(present)].map((name) => this.#registry.getSingleMetricAsString(name)),
    );
    return parts.map((part) => `${part}\n`).join('\n');
  }

  /** The ten gauges of Lavalink, without labels (§6.2); M7 and M1 are among them. */
  #lavalink(): void {
    const { stats } = this.#sources.node;
    const report = () => stats.report(null);
    this.#gauge('lavalink_players_total', 'Players of connected sessions', () => report().players);
    this.#gauge('lavalink_playing_players_total', 'Players with a track that are not paused', () => {
      return report().playingPlayers;
    });
    this.#gauge('lavalink_uptime_milliseconds', 'Time since the process started', () => stats.uptime());
    this.#gauge('lavalink_memory_free_bytes', 'Allocated and not used', () => stats.memory().free);
    this.#gauge('lavalink_memory_used_bytes', 'Heap and external memory of all threads', () => {
      return stats.memory().used;
    });
    this.#gauge('lavalink_memory_allocated_bytes', 'Resident set of the process', () => {
      return stats.memory().allocated;
    });
    this.#gauge('lavalink_memory_reservable_bytes', 'Memory limit, or all memory of the machine', () => {
      return stats.memory().reservable;
    });
    this.#gauge('lavalink_cpu_cores', 'Cores the process may use', () => stats.cpu().cores);
    this.#gauge('lavalink_cpu_system_load_percentage', 'Load of the machine, 0 to 1', () => {
      return stats.cpu().systemLoad;
    });
    this.#gauge('lavalink_cpu_lavalink_load_percentage', 'Load of this process, 0 to 1', () => {
      return stats.cpu().lavalinkLoad;
    });
  }

  #counters(): void {
    const { tallies } = this.#sources.node;
    this.#tally('lavalink_tracks_loaded_total', 'Loads that found something', tallies.tracksLoaded, [
      'source',
      'type',
    ]);
    this.#tally('lavalink_websocket_messages_total', 'WebSocket messages', tallies.messages, [
      'direction',
      'op',
    ]);
    this.#tally('lavalink_http_requests_total', 'HTTP requests answered or abandoned', tallies.httpRequests, [
      'method',
      'route',
      'status',
    ]);
    this.#tally('lavalink_track_events_total', 'Events of players sent or kept', tallies.trackEvents, [
      'type',
      'reason',
    ]);
    this.#count('lavalink_shard_events_dropped_total', 'Shard events that belonged to no player', () => {
      return tallies.eventsDropped;
    });
  }

  #shards(): void {
    const { fleet } = this.#sources.node;
    const sum = (of: (shard: ShardReport) => number) => () => {
      return fleet.reports().reduce((total, shard) => total + of(shard), 0);
    };
    const frames: Counter = new Counter({
      name: 'lavalink_audio_frames_sent_total',
      help: 'Audio frames handed to the network',
      labelNames: ['mode'],
      registers: [this.#registry],
      collect: () => {
        frames.reset();
        for (const mode of ['passthrough', 'encoded', 'silence'] as const) {
          frames.inc({ mode }, sum((shard) => shard.sent[mode])());
        }
        for (const sender of fleet.senders()) frames.inc({ mode: 'silence' }, sender.silence);
      },
    });
    this.#count('lavalink_audio_frames_nulled_total', 'Slots of playing players without a frame', () => {
      return sum((shard) => shard.missed)();
    });
    const shards: Gauge = new Gauge({
      name: 'lavalink_shards',
      help: 'Shards by state',
      labelNames: ['state'],
      registers: [this.#registry],
      collect: () => {
        const up = sum((shard) => (shard.up ? 1 : 0))();
        shards.set({ state: 'up' }, up);
        shards.set({ state: 'down' }, fleet.reports().length - up);
      },
    });
    this.#count('lavalink_shard_restarts_total', 'Shards replaced after they ended', () => {
      return sum((shard) => shard.restarts)();
    });
    this.#count('lavalink_sender_restarts_total', 'Senders replaced after they ended', () => {
      return fleet.senders().reduce((total, { restarts }) => total + restarts, 0);
    });
    const empty: Counter = new Counter({
      name: 'lavalink_sender_empty_total',
      help: 'Slots at which a sender found the ring of a playing player empty',
      labelNames: ['sender'],
      registers: [this.#registry],
      collect: () => {
        empty.reset();
        for (const { sender, missed } of fleet.senders())
          empty.inc({ sender: `snd${String(sender)}` }, missed);
      },
    });
    this.#gauge('lavalink_commands_in_flight', 'Commands of shards that wait for an answer', () => {
      return sum((shard) => shard.inFlight)();
    });
    const name = 'lavalink_frame_lateness_seconds';
    const help = 'How much later than due a frame left';
    const histogram = new LatenessHistogram(name, help, LATE_BUCKETS, () => {
      const senders = fleet.senders();
      // A shard sends by itself, or has a sender that does it for all.
      if (senders.length === 0) {
        return fleet
          .reports()
          .map(({ shard, lateness }) => ({ sender: `s${String(shard)}`, counts: lateness }));
      }
      return senders.map(({ sender, lateness }) => ({ sender: `snd${String(sender)}`, counts: lateness }));
    });
    // It prints itself, which is all that the registry asks of a metric.
    this.#registry.registerMetric(histogram as unknown as Metric);
  }

  #sessions(): void {
    const { node, sessions, inFlight } = this.#sources;
    const connections: Gauge = new Gauge({
      name: 'lavalink_connections_active',
      help: 'Connections and requests in flight by kind',
      labelNames: ['kind'],
      registers: [this.#registry],
      collect: () => {
        connections.set({ kind: 'http' }, inFlight());
        connections.set({ kind: 'websocket' }, sessions.census().live);
        const voice = node.fleet.reports().reduce((total, shard) => total + shard.voiceConnections, 0);
        connections.set({ kind: 'voice_gateway' }, voice);
      },
    });
    const gauge: Gauge = new Gauge({
      name: 'lavalink_sessions',
      help: 'Sessions by state',
      labelNames: ['state'],
      registers: [this.#registry],
      collect: () => {
        const { live, resumable } = sessions.census();
        gauge.set({ state: 'live' }, live);
        gauge.set({ state: 'resumable' }, resumable);
      },
    });
    this.#gauge('lavalink_resume_queue_events', 'Messages kept for clients that are away', () => {
      return sessions.census().queued;
    });
    const { tallies } = node;
    this.#tally('lavalink_session_resumes_total', 'Attempts to resume', tallies.sessionResumes, ['result']);
    this.#tally('lavalink_sessions_ended_total', 'Sessions that ended', tallies.sessionsEnded, ['reason']);
    this.#count('lavalink_slow_clients_total', 'Sockets closed because their client did not read', () => {
      return tallies.slowClients;
    });
  }

  #gauge(name: string, help: string, value: () => number): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect: () => gauge.set(value()),
    });
  }

  #count(name: string, help: string, value: () => number): void {
    const counter: Counter = new Counter({
      name,
      help,
      registers: [this.#registry],
      collect: () => {
        counter.reset();
        counter.inc(value());
      },
    });
  }

  #tally<Label extends string>(name: string, help: string, tally: Tally<Label>, labels: Label[]): void {
    const counter: Counter = new Counter({
      name,
      help,
      labelNames: labels,
      registers: [this.#registry],
      collect: () => {
        counter.reset();
        for (const series of tally.entries()) counter.inc(series.labels, series.count);
      },
    });
  }
}
