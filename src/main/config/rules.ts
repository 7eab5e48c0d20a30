// The rules that concern more than one key, or the effect of a key: no password, TLS, one-shard mode, log
// directives, refused values, and the report of what has no effect (settings-and-metrics.md §1.4, §5). Pure
// apart from the draft it completes; main thread, at start and at a reload.
import { isIP } from 'node:net';
import { CONFIG_PATHS, rowOf } from '../../shared/config.js';
import type { ConfigPath } from '../../shared/config.js';
import type { Tree } from '../../shared/config-row.js';
import { findPlugin } from './plugins.js';
import type { Findings, NoticeKind } from './findings.js';
import { sameValue } from './resolve.js';
import type { Draft } from './resolve.js';
import { applyLogLevels } from './log-levels.js';
import { showValue } from './show.js';

const WELL_KNOWN_PASSWORD = 'youshallnotpass';

/** Completes the draft; what it finds wrong goes to the findings. */
export function applyRules(draft: Draft, files: readonly string[], findings: Findings): void {
  const rules = new Rules(draft, findings);
  rules.password(files);
  rules.tls();
  rules.refusals();
  rules.flavor();
  rules.scaling();
  rules.metricsEndpoint();
  rules.pool();
  applyLogLevels(draft, findings);
  rules.effects();
}

class Rules {
  readonly #draft: Draft;
  readonly #findings: Findings;

  constructor(draft: Draft, findings: Findings) {
    this.#draft = draft;
    this.#findings = findings;
  }

  password(files: readonly string[]): void {
    const path = 'lavalink.server.password';
    const { values } = this.#draft;
    const password = values[path];
    // One that was given and is wrong, such as an unresolved placeholder, has been reported as that.
    if (password === null && !this.#findings.problems.some((problem) => /password/i.test(problem.path))) {
      const file = files[0] ?? 'config/application.yml';
      this.#findings.problem(
        file,
        path,
        'no password is set; set it in that file, by the variable LAVALINK_SERVER_PASSWORD ' +
          '(or LAVALINK_SERVER_PASSWORD_FILE with the path of a file that holds it), ' +
          'or by --lavalink.server.password=PASSWORD',
      );
    }
    if (password === WELL_KNOWN_PASSWORD && !isLoopback(values['server.address'])) {
      this.#notice(
        'warning',
        path,
        `the well-known example password is in use and the server listens on ${values['server.address']}; ` +
          'anybody who reaches it can use it: set another one',
      );
    }
  }

  tls(): void {
    const { values, origins } = this.#draft;
    const certificate = values['server.ssl.certificate'];
    const key = values['server.ssl.certificate-private-key'];
    if (!origins.has('server.ssl.enabled') && certificate !== null) values['server.ssl.enabled'] = true;
    if (!values['server.ssl.enabled'] || this.#keyStore()) return;
    if (certificate !== null && key !== null) return;
    const missing = certificate === null ? 'server.ssl.certificate' : 'server.ssl.certificate-private-key';
    const cause: ConfigPath = origins.has('server.ssl.enabled')
      ? 'server.ssl.enabled'
      : 'server.ssl.certificate';
    this.#problem(cause, `TLS needs ${missing} as well`);
  }

  /** Whether a key of a Java key store is given; its own message then says what to do. */
  #keyStore(): boolean {
    return [...this.#draft.origins.keys()].some(
      (path) => path.startsWith('server.ssl.') && rowOf(path).refuse !== undefined,
    );
  }

  refusals(): void {
    const { values, origins } = this.#draft;
    // A key store of a server whose TLS is off is no more than left over.
    const plainHttp = origins.has('server.ssl.enabled') && !values['server.ssl.enabled'];
    for (const [path] of origins) {
      const { refuse } = rowOf(path);
      const value = values[path];
      if (refuse === undefined || value === null) continue;
      if (refuse.only !== undefined && !sameValue(refuse.only, value)) continue;
      if (plainHttp && path.startsWith('server.ssl.')) {
        this.#notice('no effect', path, 'TLS is switched off by server.ssl.enabled');
      } else {
        this.#problem(path, refuse.reason);
      }
    }
  }

  /** `current_thread` is one shard (§3.2). */
  flavor(): void {
    const { values } = this.#draft;
    if (values['pumice.tokio.flavor'] !== 'current_thread') return;
    for (const path of ['pumice.performance.workerThreads', 'pumice.scaling.maxShards'] as const) {
      if ((values[path] ?? 0) > 1) {
        this.#problem(path, `conflict: pumice.tokio.flavor is current_thread, which means one shard`);
        return;
      }
    }
    values['pumice.performance.workerThreads'] = 1;
  }

  scaling(): void {
    const { values } = this.#draft;
    const least = values['pumice.scaling.minShards'];
    const most = values['pumice.scaling.maxShards'];
    if (least !== null && most !== null && least > most) {
      this.#problem('pumice.scaling.minShards', `conflict: is above pumice.scaling.maxShards, ${most}`);
    }
  }

  metricsEndpoint(): void {
    const { values } = this.#draft;
    const endpoint = values['metrics.prometheus.endpoint'];
    if (endpoint === null || endpoint.startsWith('/')) return;
    values['metrics.prometheus.endpoint'] = `/${endpoint}`;
    this.#notice('adjusted', 'metrics.prometheus.endpoint', `${endpoint} is taken as /${endpoint}`);
  }

  pool(): void {
    const threads = this.#draft.values['pumice.performance.blockingThreads'];
    if (threads <= 128) return;
    this.#notice(
      'warning',
      'pumice.performance.blockingThreads',
      `all ${threads} threads are created at the first use, and nothing here needs that many`,
    );
  }

  /** One notice for each given key that is not plainly applied. */
  effects(): void {
    for (const path of CONFIG_PATHS) {
      const row = rowOf(path);
      const value = this.#draft.values[path];
      if (!this.#draft.origins.has(path) || row.status === 'applied' || row.refuse !== undefined) continue;
      if (row.only !== undefined && !sameValue(row.only, value)) continue;
      const colon = row.status.indexOf(': ');
      const kind = row.status.slice(0, colon) as NoticeKind;
      const reason = row.status.slice(colon + 2);
      if (row.type !== 'tree') {
        this.#notice(kind, path, `${showValue(row, value)}: ${reason}`);
      } else {
        for (const name of treeNames(path, value as Tree))
          this.#notice(kind, path, `${name}: ${reason}`, name);
      }
    }
  }

  #notice(kind: NoticeKind, path: ConfigPath, text: string, plugin = ''): void {
    const missing = path === 'lavalink.plugins' ? findPlugin(plugin) : null;
    const full = missing === null ? text : `${text}. Missing with it: ${missing}`;
    this.#findings.notice(kind, this.#draft.origins.get(path)?.where ?? 'default', path, full);
  }

  #problem(path: ConfigPath, text: string): void {
    const origin = this.#draft.origins.get(path);
    this.#findings.problem(origin?.where ?? 'default', origin?.written ?? path, text);
  }
}

function isLoopback(address: string): boolean {
  if (address === 'localhost' || address === '::1') return true;
  return isIP(address) === 4 && address.startsWith('127.');
}

/** What a free tree names: plugins by their dependency, everything else by its first key. */
function treeNames(path: ConfigPath, tree: Tree): readonly string[] {
  if (tree === null || typeof tree === 'string') return [];
  if (!Array.isArray(tree)) return Object.keys(tree);
  if (path !== 'lavalink.plugins') return [];
  return tree.map((item: Tree) => {
    const fields =
      typeof item === 'object' && item !== null && !Array.isArray(item) ? Object.entries(item) : [];
    const dependency = fields.find(([name]) => name.toLowerCase() === 'dependency')?.[1];
    return typeof dependency === 'string' ? dependency : 'a plugin without a dependency';
  });
}
