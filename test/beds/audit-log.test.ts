import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type AuditFilter, auditMark, auditPath, parseAuditLine, readAuditLog } from './audit-log.ts';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const event = (verb: string, stage: string, code: number, username = 'peer') =>
  JSON.stringify({
    user: { username },
    verb,
    stage,
    requestURI: '/api/v1/namespaces/a/pods/p/eviction',
    objectRef: { resource: 'pods', subresource: 'eviction', namespace: 'a', name: 'p' },
    responseStatus: { code },
    requestReceivedTimestamp: '2026-01-02T03:04:05.678901Z',
    stageTimestamp: '2026-01-02T03:04:06Z',
  });

function folderWith(...lines: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'drover-audit-'));
  folders.push(folder);
  writeFileSync(auditPath(folder), lines.join('\n'));
  return folder;
}

async function read(folder: string, filter?: AuditFilter) {
  const lines = [];
  for await (const line of readAuditLog(folder, filter)) lines.push(line);
  return lines;
}

describe('audit log', () => {
  it('keeps the microseconds of a request', () => {
    const line = parseAuditLine(event('create', 'ResponseComplete', 429));
    expect(line.requestReceived).toBeCloseTo(Date.parse('2026-01-02T03:04:05.678Z') + 0.901, 3);
    expect(line).toMatchObject({ user: 'peer', verb: 'create', resource: 'pods', subresource: 'eviction', name: 'p', code: 429 });
  });

  it('counts a watch when it opens, and any other request when it ends', async () => {
    const folder = folderWith(
      event('watch', 'ResponseStarted', 200),
      event('watch', 'ResponseComplete', 200),
      event('watch', 'ResponseComplete', 403),
      event('get', 'ResponseStarted', 200),
      event('get', 'ResponseComplete', 200),
    );
    const seen = (await read(folder)).map(({ verb, code }) => `${verb} ${code}`);
    expect(seen).toEqual(['watch 200', 'watch 403', 'get 200']);
  });

  it('filters, reads on from a mark, and leaves out the line that is being written', async () => {
    const folder = folderWith(event('get', 'ResponseComplete', 200), event('get', 'ResponseComplete', 200, 'other'), '');
    const mark = auditMark(folder);
    expect(await read(folder, { user: 'other' })).toHaveLength(1);
    expect(await read(folder, { from: mark })).toHaveLength(0);
    writeFileSync(auditPath(folder), `${event('list', 'ResponseComplete', 200)}\n{"user":{`, { flag: 'a' });
    expect((await read(folder, { from: mark })).map(({ verb }) => verb)).toEqual(['list']);
  });

  it('says how to get one when the bed keeps none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'drover-audit-'));
    folders.push(folder);
    await expect(read(folder)).rejects.toThrow('start it with audit');
  });
});
