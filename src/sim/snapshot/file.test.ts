import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settled } from '../testing/snapshot-bed.ts';
import { readSnapshot, SnapshotError, writeSnapshot } from './file.ts';
import type { Snapshot } from './snapshot.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-snapshot-'));
let snapshot: Snapshot;
beforeAll(async () => {
  const { objects, ...rest } = await settled();
  snapshot = { ...rest, objects, missing: [{ kind: 'jobs', why: 'no' }] };
});
afterAll(() => rmSync(folder, { recursive: true }));

const path = (name: string) => join(folder, name);

async function written(name: string): Promise<string> {
  await writeSnapshot(path(name), snapshot);
  return path(name);
}

function containing(name: string, content: string | Buffer): string {
  writeFileSync(path(name), content);
  return path(name);
}

async function refusal(file: string): Promise<string> {
  const error: unknown = await readSnapshot(file).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(SnapshotError);
  const { message } = error as SnapshotError;
  expect(message).not.toContain('\n');
  return message.replace(folder, '');
}

describe('a snapshot file', () => {
  it.each(['plain.jsonl', 'zipped.jsonl.gz'])('is read as it was written: %s', async (name) => {
    const file = await written(name);
    expect(await readSnapshot(file)).toEqual(snapshot);
  });

  it('is gzipped when its name says so, has one object a line, and is readable by nobody else', async () => {
    const lines = gunzipSync(readFileSync(await written('a.gz')))
      .toString()
      .trimEnd()
      .split('\n');
    expect(lines).toHaveLength(snapshot.objects.length + 1);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      kind: 'DroverSnapshot',
      version: 1,
      takenAt: '2026-11-21T12:05:00.000Z',
      server: snapshot.server,
      objects: snapshot.objects.length,
      missing: snapshot.missing,
    });
  });

  it('shares equal parts again when it is read', async () => {
    const { objects } = await readSnapshot(await written('b.jsonl'));
    const pods = objects.filter(({ kind, metadata }) => kind === 'Pod' && metadata.name.startsWith('shop'));
    expect(pods).toHaveLength(8);
    expect(new Set(pods.map(({ spec }) => (spec as { containers: unknown }).containers)).size).toBe(1);
  });

  it('goes to standard output and comes from standard input as "-"', async () => {
    const text: string[] = [];
    await writeSnapshot('-', snapshot, (part) => text.push(part));
    expect(await readSnapshot('-', Readable.from([Buffer.from(text.join(''))]))).toEqual(snapshot);
  });

  it('is told to be cut off wherever it was cut', async () => {
    const whole = readFileSync(await written('c.jsonl'));
    const zipped = gzipSync(whole);
    const count = snapshot.objects.length;
    const cutOff = new RegExp(`^/cut: cut off after \\d+ of ${count} objects; copy or write it again$`);
    for (const share of [0.3, 0.5, 0.9, 0.999]) {
      expect(await refusal(containing('cut', whole.subarray(0, whole.length * share)))).toMatch(cutOff);
      expect(await refusal(containing('cut', zipped.subarray(0, zipped.length * share)))).toMatch(cutOff);
    }
    const lines = whole.toString().split('\n');
    expect(await refusal(containing('cut', lines.slice(0, 11).join('\n')))).toBe(
      `/cut: cut off after 10 of ${count} objects; copy or write it again`,
    );
  });

  it.each([
    ['', 'empty; write one with: drover snapshot -o FILE'],
    ['apiVersion: v1\n', 'not a snapshot: its first line is not JSON; write one with: drover snapshot -o FILE'],
    ['{"kind":"List","items":[]}', 'not a snapshot; write one with: drover snapshot -o FILE'],
    ['null', 'not a snapshot; write one with: drover snapshot -o FILE'],
    [
      '{"kind":"DroverSnapshot","version":2}',
      'a snapshot of version 2, and this drover reads version 1; write it anew with: drover snapshot -o FILE',
    ],
    ['{"kind":"DroverSnapshot","version":1}', 'the first line lacks takenAt, server, objects or missing'],
  ])('is refused in one line when it is %j', async (content, message) => {
    expect(await refusal(containing('bad', content))).toBe(`/bad: ${message}`);
  });

  it.each([
    ['x}', 'line 2 is not JSON; write one with: drover snapshot -o FILE'],
    ['{}', 'line 2 is no object, which no snapshot holds'],
    ['{"apiVersion":"v1","kind":"Secret"}', 'line 2 is a v1 Secret, which no snapshot holds'],
    ['{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}', 'line 2: a Pod without name or uid'],
    ['{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","uid":"b"}}', 'line 2: Pod a has no spec'],
    [
      '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a","uid":"b"}}\n{}',
      'more than the 1 objects that its first line announces',
    ],
  ])('is refused in one line for the object %j', async (line, message) => {
    const header = '{"kind":"DroverSnapshot","version":1,"takenAt":"2026-11-21T12:00:00Z","server":"s","objects":1,"missing":[]}';
    expect(await refusal(containing('bad', `${header}\n${line}\n`))).toBe(`/bad: ${message}`.replace('bad: line', 'bad: line'));
  });

  it('tells what is wrong with the path, and leaves nothing behind when it cannot be written', async () => {
    expect(await refusal(path('absent'))).toBe('/absent: no such file or directory');
    expect(await refusal(folder)).toBe(': is a directory');
    const before = readdirSync(folder);
    await expect(writeSnapshot(path('no/such/folder.gz'), snapshot)).rejects.toThrow(/folder\.gz: no such file or directory$/);
    await expect(writeSnapshot(folder, snapshot)).rejects.toBeInstanceOf(SnapshotError);
    expect(readdirSync(folder)).toEqual(before);
  });
});
