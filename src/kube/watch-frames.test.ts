import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pod } from '../api/objects.ts';
import { pods } from './kinds.ts';
import { BrokenFrame } from './proto-reader.ts';
import * as arbitrary from './testing/arbitrary.ts';
import { envelope, message, watchFrame, writePod } from './testing/proto-writer.ts';
import { createFrameCutter, decodeEvent, decodePage, PROTOBUF, type WatchEvent } from './watch-frames.ts';

const JSON_TYPE = 'application/json';

function readAll(contentType: string, chunks: readonly Buffer[]): WatchEvent<Pod>[] {
  const events: WatchEvent<Pod>[] = [];
  const take = createFrameCutter(contentType, (frame) => events.push(decodeEvent(pods, contentType, frame)));
  for (const chunk of chunks) take(chunk);
  return events;
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...cuts.map((cut) => cut % (bytes.length + 1)), 0, bytes.length].sort((a, b) => a - b);
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

describe('a watch stream', { timeout: 60_000 }, () => {
  it('gives the same events however the network cuts it, in JSON and in protobuf', () => {
    const stream = fc.array(fc.record({ type: fc.constantFrom('ADDED', 'MODIFIED', 'DELETED'), pod: arbitrary.pod }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(stream, fc.array(fc.nat(), { maxLength: 8 }), (events, cuts) => {
        const json = Buffer.from(events.map(({ type, pod }) => `${JSON.stringify({ type, object: pod })}\n`).join(''));
        const proto = Buffer.concat(events.map(({ type, pod }) => watchFrame(type, 'Pod', writePod(pod))));
        const whole = readAll(JSON_TYPE, [json]);
        expect(whole).toHaveLength(events.length);
        expect(readAll(JSON_TYPE, split(json, cuts))).toStrictEqual(whole);
        expect(readAll(`${PROTOBUF};stream=watch`, split(proto, cuts))).toStrictEqual(whole);
      }),
      { numRuns: 80 },
    );
  });

  it('survives a cut inside a character', () => {
    const pod = { metadata: { name: 'p', annotations: { 'drover.dev/x': 'ü' } } };
    const bytes = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: pod })}\n`);
    const at = bytes.indexOf('ü') + 1;
    expect(readAll(JSON_TYPE, [bytes.subarray(0, at), bytes.subarray(at)])).toMatchObject([
      { object: { annotations: { 'drover.dev/x': 'ü' } } },
    ]);
  });

  it('carries bookmarks, the end of the initial events and errors', () => {
    const end = { resourceVersion: '9', annotations: { 'k8s.io/initial-events-end': 'true' } };
    const status = { code: 410, reason: 'Expired', message: 'too old', details: { causes: [{ reason: 'x' }] } };
    const expected = [
      { type: 'BOOKMARK', resourceVersion: '8', endsInitialEvents: false },
      { type: 'BOOKMARK', resourceVersion: '9', endsInitialEvents: true },
      { type: 'ERROR', status },
    ];
    const json = [
      { type: 'BOOKMARK', object: { metadata: { resourceVersion: '8' } } },
      { type: 'BOOKMARK', object: { metadata: end } },
      { type: 'ERROR', object: status },
    ];
    expect(readAll(JSON_TYPE, [Buffer.from(json.map((event) => `${JSON.stringify(event)}\n`).join(''))])).toEqual(expected);
    const proto = [
      watchFrame('BOOKMARK', 'Pod', message([1, message([6, '8'])])),
      watchFrame(
        'BOOKMARK',
        'Pod',
        message([1, message([6, '9'], [12, message([1, 'k8s.io/initial-events-end'], [2, 'true'])])]),
      ),
      watchFrame('ERROR', 'Status', message([3, 'too old'], [4, 'Expired'], [5, message([4, message([1, 'x'])])], [6, 410])),
    ];
    expect(readAll(PROTOBUF, proto)).toEqual(expected);
  });

  it('is broken by what is not a frame, and the message quotes none of it', () => {
    const broken = (type: string, bytes: Buffer | string) => () => readAll(type, [Buffer.from(bytes as string)]);
    expect(broken(JSON_TYPE, '{"secret\n')).toThrow(new BrokenFrame('JSON: 8 bytes that are not JSON'));
    expect(broken(JSON_TYPE, '{"type":"ADDED"}\n')).toThrow('JSON: an object without metadata.name');
    expect(broken(JSON_TYPE, '{"type":"NEWER"}\n')).toThrow('a watch event of type "NEWER"');
    expect(broken(PROTOBUF, Buffer.from('ffffffff00', 'hex'))).toThrow('a watch frame of 4294967295 bytes');
    expect(broken(PROTOBUF, watchFrame('NEWER', 'Pod', Buffer.alloc(0)))).toThrow('a watch event of type "NEWER"');
    const bare = message([1, 'ADDED'], [2, message([1, Buffer.from('no magic')])]);
    expect(broken(PROTOBUF, Buffer.concat([Buffer.from([0, 0, 0, bare.length]), bare]))).toThrow(
      'does not start with the magic number',
    );
  });

  it('does not keep more than one frame in memory for a peer that never ends it', () => {
    const take = createFrameCutter(JSON_TYPE, () => undefined);
    const megabyte = Buffer.alloc(1 << 20, 0x61);
    expect(() => {
      for (let count = 0; count < 100; count++) take(megabyte);
    }).toThrow('a watch frame of more than 67108864 bytes');
  });

  it('tells of an object that its decoder leaves out', () => {
    const kind = { ...pods, decodeJson: () => undefined };
    const frame = Buffer.from(
      JSON.stringify({ type: 'MODIFIED', object: { metadata: { name: 'x', uid: 'u', resourceVersion: '5' } } }),
    );
    expect(decodeEvent(kind, JSON_TYPE, frame)).toEqual({ type: 'LEFT_OUT', uid: 'u', resourceVersion: '5' });
  });
});

describe('a list page', { timeout: 60_000 }, () => {
  it('is the same in JSON and in protobuf', () => {
    fc.assert(
      fc.property(fc.array(arbitrary.pod, { maxLength: 3 }), (items) => {
        const json = Buffer.from(
          JSON.stringify({ kind: 'PodList', metadata: { resourceVersion: '7', continue: 'token' }, items }),
        );
        const list = message([1, message([2, '7'], [3, 'token'])], ...items.map((pod): [number, Buffer] => [2, writePod(pod)]));
        const page = decodePage(pods, JSON_TYPE, json);
        expect(page).toMatchObject({ resourceVersion: '7', continue: 'token' });
        expect(decodePage(pods, PROTOBUF, envelope('PodList', list))).toStrictEqual(page);
      }),
      { numRuns: 50 },
    );
  });

  it('may hold nothing', () => {
    expect(decodePage(pods, JSON_TYPE, Buffer.from('{"metadata":{"resourceVersion":"1"},"items":null}'))).toEqual({
      items: [],
      resourceVersion: '1',
      continue: '',
    });
    expect(() => decodePage(pods, JSON_TYPE, Buffer.from('{}'))).toThrow('a list without metadata.resourceVersion');
  });
});
