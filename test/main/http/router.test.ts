// Claims about finding a route: whole paths, closed labels (lavalink-v4.md §1.1; reliability.md case 24).
import fc from 'fast-check';
import t from 'tap';
import { Router } from '../../../src/main/http/router.js';
import { createRoutes } from '../../../src/main/http/routes.js';
import { mainNode } from '../../support/main-node.js';

const routes = createRoutes(mainNode().node, null);
const router = new Router(routes);

t.test('parameters are whole segments, percent-decoded', { timeout: 10_000 }, (t) => {
  const match = router.find('PATCH', '/v4/sessions/a%20b/players/1');
  t.match(match, {
    kind: 'route',
    params: { session: 'a b', guild: '1' },
    route: { template: '/v4/sessions/{session}/players/{guild}' },
  });
  t.equal(router.find('HEAD', '/v4/info').kind, 'route');
  t.end();
});

t.test('what is almost a path is none', { timeout: 10_000 }, (t) => {
  const none = ['', '/v4', '/v4/info/', '//v4/info', '/V4/INFO', '/v4/sessions//players', '/v4/sessions/%zz'];
  for (const path of none) t.equal(router.find('GET', path).kind, 'none', path);
  t.match(router.find('GET', '/v4/sessions/x'), { kind: 'method', allowed: ['PATCH', 'OPTIONS'] });
  t.match(router.find('DELETE', '/version'), { kind: 'method', allowed: ['GET', 'HEAD', 'OPTIONS'] });
  t.end();
});

t.test('the metrics page is there only when it is switched on', { timeout: 10_000 }, (t) => {
  t.equal(router.find('GET', '/metrics').kind, 'none');
  t.end();
});

t.test('labels come from the table whatever the path', { timeout: 10_000 }, (t) => {
  const labels = new Set(['unmatched', ...routes.map(({ template }) => template)]);
  const segment = fc.oneof(
    fc.constantFrom('v4', 'sessions', 'players', 'info', '..', '%00', ''),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(segment), (segments) => {
      t.ok(labels.has(router.label(`/${segments.join('/')}`)));
    }),
    { numRuns: 300 },
  );
  t.end();
});
