import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createWallClock } from '../lib/clock.ts';
import { createRunCommand } from './command.ts';

const run = createRunCommand(createWallClock(), process.platform);
const sh = (script: string, timeoutMs = 30_000, signal?: AbortSignal) =>
  run({ path: '/bin/sh', args: ['-c', script], timeoutMs, ...(signal && { signal }) });

async function until(good: () => boolean): Promise<void> {
  while (!good()) await new Promise((resolve) => setImmediate(resolve));
}

const isAlive = (pid: number) => {
  try {
    // A zombie that nobody has waited for yet is dead, too.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

describe('a command', () => {
  it('is what it says and how it ends', async () => {
    expect(await sh('echo out; echo err >&2; exit 3')).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n', why: '' });
  });

  it('says at most 4 KiB, and is not stopped by saying more', async () => {
    const { code, stdout } = await sh('head -c 1000000 /dev/zero | tr "\\0" x; exit 1');
    expect([code, stdout.length]).toEqual([1, 4_096]);
  });

  it('that cannot be started has no exit code', async () => {
    expect(await run({ path: '/no/such/check', args: [], timeoutMs: 1_000 })).toMatchObject({
      code: null,
      why: 'cannot be started: ENOENT',
    });
  });

  it('that does not end is killed with all that it has started', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'drover-command-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'pid');
    const stop = new AbortController();
    const ended = sh(`sleep 1000 & echo $! > ${file}; wait`, 1_000_000, stop.signal);
    await until(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'));
    const child = Number(readFileSync(file, 'utf8'));
    expect(isAlive(child)).toBe(true);
    stop.abort();
    expect(await ended).toMatchObject({ code: null, why: 'was stopped' });
    await until(() => !isAlive(child));
  });

  it('that takes too long has no exit code', async () => {
    expect(await sh('sleep 1000', 50)).toMatchObject({ code: null, why: 'did not end within 0.05 s' });
  });

  it('that is killed by somebody else has no exit code', async () => {
    expect(await sh('kill -9 $$')).toMatchObject({ code: null, why: 'was ended by SIGKILL' });
  });
});
