import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeNodeJson, decodePodJson } from './decode-json.ts';
import { decodeNodeProto, decodePodProto } from './decode-proto.ts';
import { BrokenFrame } from './proto-reader.ts';
import * as arbitrary from './testing/arbitrary.ts';
import { message, writeNode, writePod } from './testing/proto-writer.ts';

describe('protobuf and JSON', { timeout: 60_000 }, () => {
  it('give the same slim Pod', () => {
    fc.assert(
      fc.property(arbitrary.pod, (pod) => {
        const bytes = writePod(pod);
        expect(decodePodProto(bytes, 0, bytes.length)).toStrictEqual(decodePodJson(pod));
      }),
      { numRuns: 300 },
    );
  });

  it('give the same slim Node', () => {
    fc.assert(
      fc.property(arbitrary.node, (node) => {
        const bytes = writeNode(node);
        expect(decodeNodeProto(bytes, 0, bytes.length)).toStrictEqual(decodeNodeJson(node));
      }),
      { numRuns: 300 },
    );
  });
});

describe('the protobuf reader', { timeout: 60_000 }, () => {
  it('keeps a negative priority, which is ten bytes on the wire', () => {
    const bytes = message([1, message([1, 'p'])], [2, message([25, -10])]);
    expect(decodePodProto(bytes, 0, bytes.length).priority).toBe(-10);
  });

  it('keeps nothing of the bytes it read from', () => {
    const bytes = message([1, message([1, 'web-0'], [11, message([1, 'app'], [2, 'keeps-nothing'])])]);
    const pod = decodePodProto(bytes, 0, bytes.length);
    bytes.fill(0x7a);
    expect(pod).toMatchObject({ name: 'web-0', labels: { app: 'keeps-nothing' } });
  });

  it('shares one label set among pods that have the same', () => {
    const write = (name: string) => message([1, message([1, name], [11, message([1, 'app'], [2, 'shared'])])]);
    const [one, two] = [write('a'), write('b')].map((bytes) => decodePodProto(bytes, 0, bytes.length));
    expect(one?.labels).toBe(two?.labels);
  });

  it('skips fields that it does not know, of every wire type', () => {
    const [varint, fixed64, span, fixed32] = ['f8079601', 'f9070102030405060708', 'fa07020909', 'fd0701020304'];
    const unknown = Buffer.from([varint, fixed64, span, fixed32].join(''), 'hex');
    const bytes = Buffer.concat([unknown, message([1, message([1, 'p'])]), unknown]);
    expect(decodePodProto(bytes, 0, bytes.length).name).toBe('p');
  });

  it('takes cut or corrupt bytes for a broken frame and for nothing else', () => {
    fc.assert(
      fc.property(arbitrary.pod, fc.nat(), fc.nat(255), (pod, where, byte) => {
        const bytes = writePod(pod);
        const at = where % bytes.length;
        const corrupt = Buffer.from(bytes);
        corrupt[at] = byte;
        for (const [broken, to] of [
          [bytes, at],
          [corrupt, corrupt.length],
        ] as const) {
          try {
            decodePodProto(broken, 0, to);
          } catch (error) {
            expect(error).toBeInstanceOf(BrokenFrame);
          }
        }
      }),
      { numRuns: 300 },
    );
    expect(() => decodePodProto(Buffer.from([0x0a, 0x05, 0x0a]), 0, 3)).toThrow(BrokenFrame);
    expect(() => decodePodProto(Buffer.from([0x0b]), 0, 1)).toThrow('field 1 has wire type 3 instead of 2');
    expect(() => decodePodProto(Buffer.from([0x2b]), 0, 1)).toThrow('wire type 3 is not in use');
    expect(() => decodePodProto(Buffer.alloc(11, 0xff), 0, 11)).toThrow('a number of more than ten bytes');
  });
});
