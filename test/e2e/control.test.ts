// What a client can do to a player, judged by what is heard: the source passes through, so that of every frame the
// voice server decrypted it is known which packet of the file it is. Bare HTTP, no client library.
import t from 'tap';
import { fixture, oggOpus, wavFile } from '../support/fixtures.js';
import { compare, decodeFrames } from '../support/measure.js';
import { NodeClient } from '../support/node-client.js';
import { breaks, PacketPlaces, packetsOf, soundOf } from '../support/opus-packets.js';
import { multitone, sweep, tunePcm } from '../support/signal.js';
import { stage } from '../support/stage.js';

/** Copied for each test: tap keeps the state of a test in the object it is given. */
const LIMIT = { timeout: 40_000, buffered: true };
const FRAME_MS = 20;
/** A command is heard within 150 ms, seven frames; threefold, for a machine that is busy with other tests. */
const AT_ONCE = 3 * 7;

const SECONDS = 30;
const song = oggOpus(sweep(SECONDS));
const packets = await packetsOf(song);
const places = new PacketPlaces(packets);
const other = oggOpus(tunePcm(10));
const otherPlaces = new PacketPlaces(await packetsOf(other));

const house = await stage(t, { config: { 'lavalink.server.trackStuckThresholdMs': 1_000 } });
house.origin.file('/song.opus', { body: song, contentType: 'audio/ogg' });
house.origin.file('/other.opus', { body: other, contentType: 'audio/ogg' });
const node = await NodeClient.connect(house.server.port);
t.teardown(() => {
  node.close();
});
const songTrack = await node.load(house.origin.url('/song.opus'));
const otherTrack = await node.load(house.origin.url('/other.opus'));

t.jobs = 4;

t.test('a track plays from its position to its endTime, both within a frame', { ...LIMIT }, async (t) => {
  const guild = '310000000000000001';
  await node.join(guild, house.voice.endpoint);
  await node.play(guild, songTrack, { position: 1_000, endTime: 2_000 });
  await node.waitForEvent(guild, 'TrackEndEvent');
  await house.voice.waitForSilence(guild);
  const heard = placesOf(guild);
  t.same(breaks(heard), []);
  near(t, heard.at(0), 50, 1, 'first packet');
  near(t, heard.at(-1), 99, 1, 'last packet');
  t.same(node.events(guild), ['TrackStartEvent', 'TrackEndEvent finished']);
});

t.test('an endTime given while the track plays ends it there', { ...LIMIT }, async (t) => {
  const guild = '310000000000000002';
  await node.join(guild, house.voice.endpoint);
  await node.play(guild, songTrack);
  await house.voice.waitForFrames(guild, 20);
  await node.patch(guild, { endTime: 1_500 });
  await node.waitForEvent(guild, 'TrackEndEvent');
  await house.voice.waitForSilence(guild);
  const heard = placesOf(guild);
  t.same(breaks(heard), []);
  near(t, heard.at(-1), 74, 1, 'last packet');
  t.same(node.events(guild), ['TrackStartEvent', 'TrackEndEvent finished']);
});

t.test('a replaced track sounds until the new one does, without a gap', { ...LIMIT }, async (t) => {
  const guild = '310000000000000003';
  await node.join(guild, house.voice.endpoint);
  await node.play(guild, songTrack);
  await house.voice.waitForFrames(guild, 30);
  await node.play(guild, otherTrack);
  await house.voice.waitForFrames(guild, 80);
  const frames = house.voice.frames(guild);
  t.notOk(
    frames.some((frame) => frame.silence),
    'no silence between them',
  );
  const heard = soundOf(frames);
  const firstNew = heard.findIndex((frame) => otherPlaces.of(frame) !== null);
  t.same(breaks(heard.slice(0, firstNew).map((frame) => places.of(frame))), [], 'the old one');
  const news = heard.slice(firstNew).map((frame) => otherPlaces.of(frame));
  t.same(breaks(news), [], 'the new one');
  t.equal(news[0], 0, 'from its beginning');

  await node.must('PATCH', `${node.player(guild)}?noReplace=true`, { track: { encoded: songTrack } });
  t.match(await node.must('GET', node.player(guild)), {
    track: { info: { uri: house.origin.url('/other.opus') } },
  });
  t.same(node.events(guild), ['TrackStartEvent', 'TrackEndEvent replaced', 'TrackStartEvent']);
  await node.must('DELETE', node.player(guild));
  t.match(house.voice.report(guild), { missing: 0, timestampFaults: 0, violations: [] });
});

t.test('stop is heard at once, as five frames of silence, and speaking ends', { ...LIMIT }, async (t) => {
  const guild = '310000000000000004';
  await node.join(guild, house.voice.endpoint);
  await node.play(guild, songTrack);
  await house.voice.waitForFrames(guild, 30);
  const before = house.voice.count(guild);
  await node.patch(guild, { track: { encoded: null } });
  await house.voice.waitForSilence(guild);
  await house.voice.waitForSpeaking(guild, false);
  const after = house.voice.frames(guild).slice(before);
  const sounding = after.filter((frame) => !frame.silence).length;
  t.ok(sounding <= AT_ONCE, `${String(sounding)} frames after the request`);
  t.equal(after.length - sounding, 5);
  t.ok(after.slice(-5).every((frame) => frame.silence));
  t.same(breaks(placesOf(guild)), []);
  await node.waitForEvent(guild, 'TrackEndEvent');
  t.same(node.events(guild), ['TrackStartEvent', 'TrackEndEvent stopped']);
  t.match(await node.must('GET', node.player(guild)), { track: null, state: { position: 0 } });
  t.same(house.voice.report(guild)?.violations, []);
});

t.test(
  'a pause loses nothing and doubles nothing, and the position stands still',
  { ...LIMIT },
  async (t) => {
    const guild = '310000000000000005';
    await node.join(guild, house.voice.endpoint);
    await node.play(guild, songTrack);
    for (const [round, frames] of [30, 17, 41].entries()) {
      await house.voice.waitForFrames(guild, house.voice.count(guild) + frames);
      const before = house.voice.count(guild);
      await node.patch(guild, { paused: true });
      await house.voice.waitForSpeaking(guild, false);
      const late = house.voice
        .frames(guild)
        .slice(before)
        .filter((frame) => !frame.silence).length;
      t.ok(late <= AT_ONCE, `round ${String(round)}: ${String(late)} frames after the request`);
      const first = positionOf(await node.must('GET', node.player(guild)));
      near(t, first, endOf(placesOf(guild).at(-1)), FRAME_MS, 'position of the last frame heard');
      const second = positionOf(await node.must('GET', node.player(guild)));
      t.equal(second, first);
      await node.patch(guild, { paused: false });
    }
    await house.voice.waitForFrames(guild, house.voice.count(guild) + 20);
    await node.must('DELETE', node.player(guild));
    const heard = placesOf(guild);
    t.same(breaks(heard), []);
    t.equal(heard[0], 0);
    t.match(house.voice.report(guild), { missing: 0, timestampFaults: 0, violations: [] });
  },
);

t.test('a pause of an encoded track changes no byte of what is heard', { ...LIMIT }, async (t) => {
  const [paused, undisturbed] = ['310000000000000006', '310000000000000007'];
  const { bytes, contentType } = fixture('mp3', 4);
  house.origin.file('/song.mp3', { body: bytes, contentType });
  const track = await node.load(house.origin.url('/song.mp3'));
  for (const guild of [paused, undisturbed]) {
    await node.join(guild, house.voice.endpoint);
    await node.play(guild, track);
  }
  await house.voice.waitForFrames(paused, 60);
  await node.patch(paused, { paused: true });
  await house.voice.waitForSpeaking(paused, false);
  await node.patch(paused, { paused: false });
  for (const guild of [paused, undisturbed]) await node.waitForEvent(guild, 'TrackEndEvent');
  for (const guild of [paused, undisturbed]) await house.voice.waitForSilence(guild);
  const [one, two] = [paused, undisturbed].map((guild) => soundOf(house.voice.frames(guild)));
  t.equal(one?.length, two?.length);
  t.ok(one?.every((frame, at) => frame.equals(two?.[at] ?? Buffer.alloc(0))));
});

t.test('a seek lands within a frame, forwards, backwards and a little ahead', { ...LIMIT }, async (t) => {
  const guild = '310000000000000008';
  await node.join(guild, house.voice.endpoint);
  await node.play(guild, songTrack);
  for (const target of [20_000, 5_000, 7_000]) {
    await house.voice.waitForFrames(guild, house.voice.count(guild) + 25);
    const before = house.voice.count(guild);
    const answer = await node.patch(guild, { position: target });
    t.equal(positionOf(answer), target, 'the answer knows the new position');
    // A seek outside the window waits for the origin first; how long is the bench's matter.
    let heard: readonly (number | null)[] = [];
    let jump = -1;
    for (let frames = 40; jump < 0 && frames <= 400; frames += 20) {
      await house.voice.waitForFrames(guild, before + frames);
      // With the last one before the request: the very next may be of the new place.
      heard = soundOf(house.voice.frames(guild).slice(before - 1)).map((frame) => places.of(frame));
      jump = heard.findIndex((place, at) => at > 0 && place !== (heard[at - 1] ?? 0) + 1);
    }
    near(t, heard[jump], target / FRAME_MS, 1, 'first packet');
    t.same(breaks(heard.slice(jump)), []);
    const position = positionOf(await node.must('GET', node.player(guild)));
    near(t, position, endOf(placesOf(guild).at(-1)), 5 * FRAME_MS, 'position');
  }
  t.same(node.events(guild), ['TrackStartEvent']);
  await node.patch(guild, { position: 10 * 60_000 });
  await node.waitForEvent(guild, 'TrackEndEvent');
  t.same(node.events(guild), ['TrackStartEvent', 'TrackEndEvent finished'], 'a seek behind the end');
  t.match(house.voice.report(guild), { missing: 0, timestampFaults: 0, violations: [] });
});

t.test('a seek in an encoded track is exact to the sample', { ...LIMIT }, async (t) => {
  const guild = '310000000000000009';
  const source = multitone(12);
  house.origin.file('/song.wav', { body: wavFile(source), contentType: 'audio/wav' });
  await node.join(guild, house.voice.endpoint);
  await node.play(guild, await node.load(house.origin.url('/song.wav')));
  await house.voice.waitForFrames(guild, 25);
  // In a pause, so that it is known which frame is the first one behind it.
  await node.patch(guild, { paused: true });
  await house.voice.waitForSpeaking(guild, false);
  await node.patch(guild, { position: 8_000 });
  const before = house.voice.count(guild);
  await node.patch(guild, { paused: false });
  await house.voice.waitForFrames(guild, before + 75);
  const heard = decodeFrames(soundOf(house.voice.frames(guild).slice(before)));
  const { offset, clicksOff } = compare(heard, source, { near: -8 * 48_000, search: 1_920 });
  near(t, offset, -8 * 48_000, 1, 'source sample of the first sample heard');
  t.equal(clicksOff, 0);
});

t.test('the position is that of the frames that were heard, in source time', { ...LIMIT }, async (t) => {
  const guild = '310000000000000010';
  await node.join(guild, house.voice.endpoint);
  await node.play(guild, songTrack, { position: 10_000 });
  for (let round = 0; round < 5; round++) {
    await house.voice.waitForFrames(guild, house.voice.count(guild) + 13);
    const before = placesOf(guild).at(-1);
    const position = positionOf(await node.must('GET', node.player(guild)));
    const after = placesOf(guild).at(-1);
    const slack = 3 * FRAME_MS;
    t.ok(
      position >= endOf(before) - slack && position <= endOf(after) + slack,
      `${String(position)} between ${String(endOf(before))} and ${String(endOf(after))}`,
    );
  }
  const update = node.messages.filter(({ op, guildId }) => op === 'playerUpdate' && guildId === guild).at(-1);
  t.match(update?.['state'], { connected: true });
});

t.test('a source that falls silent is told once, with the threshold', { ...LIMIT }, async (t) => {
  const guild = '310000000000000011';
  const stall = Array.from({ length: 50 }, () => 40_000);
  house.origin.file('/stalls.opus', { body: song, contentType: 'audio/ogg', stallAt: stall });
  const track = await node.load(house.origin.url('/stalls.opus'));
  await node.join(guild, house.voice.endpoint);
  await node.play(guild, track);
  const stuck = await node.waitForEvent(guild, 'TrackStuckEvent');
  const since = performance.now() - (house.voice.frames(guild).at(-1)?.at ?? 0);
  t.equal(stuck['thresholdMs'], 1_000);
  t.ok(since >= 900 && since < 5_000, `${since.toFixed(0)} ms after the last frame`);
  t.same(breaks(placesOf(guild)), []);
  t.same(node.events(guild), ['TrackStartEvent', 'TrackStuckEvent']);
  await node.patch(guild, { track: { encoded: null } });
  await node.waitForEvent(guild, 'TrackEndEvent');
  t.same(node.events(guild), ['TrackStartEvent', 'TrackStuckEvent', 'TrackEndEvent stopped']);
});

function placesOf(guild: string): (number | null)[] {
  return soundOf(house.voice.frames(guild)).map((frame) => places.of(frame));
}

/** Source milliseconds at which a packet of the song ends; its encoder's delay is 312 samples. */
function endOf(place: number | null | undefined): number {
  return ((place ?? Number.NaN) + 1) * FRAME_MS - 6.5;
}

function positionOf(player: Record<string, unknown>): number {
  return (player['state'] as { position: number }).position;
}

function near(
  t: { ok: (passes: boolean, name: string) => unknown },
  found: number | null | undefined,
  wanted: number,
  slack: number,
  what: string,
): void {
  t.ok(
    Math.abs((found ?? Number.NaN) - wanted) <= slack,
    `${what}: ${String(found)}, wanted ${String(wanted)}`,
  );
}
